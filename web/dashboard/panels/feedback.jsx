// What people wrote and nobody has dealt with.

import { Empty } from "../parts/empty.jsx";
import { Figure, Figures } from "../parts/figure.jsx";
import { count, number } from "../words/numbers.js";

function state({ feedback: { open, unanswered } }) {
  if (open === 0) return { level: "fine", says: "Nobody waits for an answer." };
  return { level: unanswered > 0 ? "watch" : "fine", says: `${count(open, "piece")} of feedback ${open === 1 ? "is" : "are"} open; ${unanswered === 0 ? "nobody" : count(unanswered, "person", "people")} with an address ${unanswered > 1 ? "wait" : "waits"} for an answer.` };
}

function Body({ data }) {
  const { open, unanswered } = data.feedback;
  if (open === 0) return <Empty command={"pourtrait feedback list --all"}>Pages send it with <code>ops.feedback(text)</code>. What was dealt with:</Empty>;
  return (
    <Figures>
      <Figure label="Open" value={number(open)} />
      <Figure label="Unanswered" value={number(unanswered)} level={unanswered > 0 ? "watch" : "fine"} />
      <Figure label="Read and answer" value={<code>pourtrait feedback list</code>} />
    </Figures>
  );
}

export default {
  id: "feedback", title: "Feedback", part: "Errors", wide: true, state, Body,
  defines: [
    { name: "Open", path: "feedback.open", means: "What people wrote that nobody has closed, whenever that was." },
    { name: "Unanswered", path: "feedback.unanswered", means: "Of those, where the writer left an address and was mailed no answer." },
  ],
};
