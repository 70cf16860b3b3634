// How a panel stands. What one panel cannot make of the document takes no other along.

/** @returns {{level: string, says: string}} */
export function standing(panel, data) {
  try {
    return panel.state(data);
  } catch (error) {
    console.error(panel.id, error);
    return { level: "unknown", says: "This part of the document cannot be read by this page." };
  }
}
