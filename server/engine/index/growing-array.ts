type NumberArray = Int32Array | Uint32Array | Float64Array;

const LEAST_CAPACITY = 16;

/**
 * `array` itself while it has room for `needed` items, else a copy that has, by a quarter more than needed: memory
 * counts here, and copying typed arrays is cheap. New items are 0.
 */
export function withRoomFor<T extends NumberArray>(array: T, needed: number): T {
  if (needed <= array.length) return array;
  const capacity = Math.max(LEAST_CAPACITY, needed + (needed >>> 2));
  const Constructor = array.constructor as new (length: number) => T;
  const grown = new Constructor(capacity);
  grown.set(array);
  return grown;
}
