import { ServiceError } from "@kato-rpc/shared/errors.ts";

export function patternNotFound(hash: string): ServiceError {
  return new ServiceError("PATTERN_NOT_FOUND", `The node has no pattern ${hash}`);
}

export function vectorDimensionMismatch(expected: number, actual: number): ServiceError {
  const message = `The vectors of this node have ${expected} numbers, but this one has ${actual}`;
  return new ServiceError("VECTOR_DIMENSION_MISMATCH", message, { expected, actual });
}
