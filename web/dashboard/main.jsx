// Where the dashboard begins.

import { render } from "preact";
import { Page } from "./page.jsx";
import { follow } from "./state/address.js";
import { start } from "./state/clock.js";
import { watch } from "./state/feed.js";
import { show } from "./state/icon.js";
import { listen } from "./state/keys.js";
import { keep, resume } from "./state/session.js";
import { begin } from "./state/visit.js";

follow();
start();
begin();
watch();
show();
listen();
keep();
const place = document.getElementById("page");
place.replaceChildren();
render(<Page />, place);
void resume();
