/** Closes an exhaustive `switch`: a new variant of the union makes the call fail to compile. */
export function never(value: never): never {
  throw new Error(`unreachable variant: ${JSON.stringify(value)}`);
}
