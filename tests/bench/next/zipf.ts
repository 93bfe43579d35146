/** Draws numbers from 0 to `size` − 1, number i in proportion to (i + 1)^−`exponent`. */
export function zipf(random: () => number, size: number, exponent: number): () => number {
  const sums: number[] = [];
  let total = 0;
  for (let i = 0; i < size; i += 1) sums.push((total += (i + 1) ** -exponent));
  return () => {
    const drawn = random() * total;
    let low = 0;
    let high = size - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((sums[middle] ?? 0) < drawn) low = middle + 1;
      else high = middle;
    }
    return low;
  };
}
