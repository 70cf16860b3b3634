export { open } from "../../../web/door/pourtrait.js";
