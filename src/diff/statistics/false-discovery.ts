/**
 * Benjamini and Hochberg (1995), step-up: p-values adjusted for how many were looked at. Rejecting those at most
 * `level` keeps the expected share of false alarms among the alarms at most `level`; when nothing differs at all, it
 * is the chance of any alarm.
 *
 * @returns the adjusted values, in the order given
 */
export function adjustedForCount(pValues: readonly number[]): number[] {
  const order = pValues.map((_, index) => index).sort((a, b) => pValues[b] - pValues[a]);
  const adjusted = new Array<number>(pValues.length);
  let least = 1;
  order.forEach((index, position) => {
    const rank = pValues.length - position;
    least = Math.min(least, (pValues[index] * pValues.length) / rank);
    adjusted[index] = least;
  });
  return adjusted;
}
