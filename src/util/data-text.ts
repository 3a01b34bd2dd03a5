/**
 * Plain data as integers, and back: strings, numbers, big integers, booleans, null, and arrays and
 * records of these. The integers are the UTF-16 code units of a JSON text in which a big integer is a record
 * of one field.
 */
const BIG = '$bigint';

export function encodeData(data: unknown): Int32Array {
  const text = JSON.stringify(data, (_, value: unknown) =>
    typeof value === 'bigint' ? { [BIG]: value.toString() } : value,
  );
  return Int32Array.from({ length: text.length }, (_, i) => text.charCodeAt(i));
}

/** The data of `encodeData`. */
export function decodeData(ints: Int32Array): unknown {
  let text = '';
  for (const int of ints) text += String.fromCharCode(int);
  return JSON.parse(text, (_, value: unknown) =>
    typeof value === 'object' && value !== null && BIG in value
      ? BigInt(String(value[BIG]))
      : value,
  );
}
