/**
 * Nearest-rank percentiles: the p-th percentile of n values is the ceil(p·n/100)-th smallest. Always a value
 * that was measured, never one between two.
 */
export function nearestRank(percent: number, count: number): number {
  return Math.min(count, Math.max(1, Math.ceil((percent * count) / 100)));
}

/**
 * The `rank`-th smallest (1-based) of `values[0, end)`. Reorders the values: afterwards everything before
 * `rank - 1` is at most it. Hoare's selection, with sorting as the way out of unlucky orders.
 */
export function selectRank(values: Float64Array, end: number, rank: number): number {
  const wanted = rank - 1;
  let low = 0;
  let high = end - 1;
  let rounds = 0;
  while (high - low > 64) {
    rounds += 1;
    if (rounds > 200) break;
    const a = values[low];
    const b = values[(low + high) >>> 1];
    const c = values[high];
    const pivot = a < b ? (b < c ? b : a < c ? c : a) : a < c ? a : b < c ? c : b;
    let left = low;
    let right = high;
    while (left <= right) {
      while (values[left] < pivot) left += 1;
      while (values[right] > pivot) right -= 1;
      if (left <= right) {
        const held = values[left];
        values[left] = values[right];
        values[right] = held;
        left += 1;
        right -= 1;
      }
    }
    if (wanted <= right) high = right;
    else if (wanted >= left) low = left;
    else return values[wanted];
  }
  values.subarray(low, high + 1).sort();
  return values[wanted];
}
