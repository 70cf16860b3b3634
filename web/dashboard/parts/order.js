// Rows in the order of what somebody chose; what is not known comes last, either way. Pure.

export function ordered(rows, value, down) {
  const sign = down ? -1 : 1;
  return [...rows].sort((one, other) => {
    const [a, b] = [value(one), value(other)];
    if (a == null || b == null) return (a == null) - (b == null);
    return sign * (typeof a === "string" ? a.localeCompare(b) : a - b);
  });
}
