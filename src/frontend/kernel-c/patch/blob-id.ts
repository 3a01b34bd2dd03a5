/**
 * The id git gives to a file's content: SHA-1 over `blob <length>\0<content>`. It proves that a diff
 * was made against exactly the text at hand. SHA-1 is written out here (FIPS 180-4, 6.1) because
 * this folder does no I/O and imports no node module.
 */
export function gitBlobId(text: string): string {
  const content = new TextEncoder().encode(text);
  const header = new TextEncoder().encode(`blob ${content.length}\0`);
  const message = new Uint8Array(header.length + content.length);
  message.set(header, 0);
  message.set(content, header.length);
  return sha1Hex(message);
}

/** True when the abbreviated or full id of an `index` line names this text. */
export function isBlobOf(id: string, text: string): boolean {
  return id.length >= 4 && gitBlobId(text).startsWith(id.toLowerCase());
}

export function sha1Hex(message: Uint8Array): string {
  const blocks = (message.length + 9 + 63) >> 6;
  const padded = new DataView(new ArrayBuffer(blocks << 6));
  for (let i = 0; i < message.length; i++) padded.setUint8(i, message[i] ?? 0);
  padded.setUint8(message.length, 0x80);
  padded.setUint32((blocks << 6) - 8, Math.floor(message.length / 0x20000000));
  padded.setUint32((blocks << 6) - 4, (message.length << 3) >>> 0);

  let h0 = 0x67452301;
  let h1 = 0xefcdab89;
  let h2 = 0x98badcfe;
  let h3 = 0x10325476;
  let h4 = 0xc3d2e1f0;
  const w = new Int32Array(80);
  for (let block = 0; block < blocks; block++) {
    for (let t = 0; t < 16; t++) w[t] = padded.getInt32((block << 6) + (t << 2));
    for (let t = 16; t < 80; t++) {
      w[t] = rotl((w[t - 3] ?? 0) ^ (w[t - 8] ?? 0) ^ (w[t - 14] ?? 0) ^ (w[t - 16] ?? 0), 1);
    }
    let a = h0;
    let b = h1;
    let c = h2;
    let d = h3;
    let e = h4;
    for (let t = 0; t < 80; t++) {
      let f: number;
      let k: number;
      if (t < 20) {
        f = (b & c) | (~b & d);
        k = 0x5a827999;
      } else if (t < 40) {
        f = b ^ c ^ d;
        k = 0x6ed9eba1;
      } else if (t < 60) {
        f = (b & c) | (b & d) | (c & d);
        k = 0x8f1bbcdc;
      } else {
        f = b ^ c ^ d;
        k = 0xca62c1d6;
      }
      const next = (rotl(a, 5) + f + e + k + (w[t] ?? 0)) | 0;
      e = d;
      d = c;
      c = rotl(b, 30);
      b = a;
      a = next;
    }
    h0 = (h0 + a) | 0;
    h1 = (h1 + b) | 0;
    h2 = (h2 + c) | 0;
    h3 = (h3 + d) | 0;
    h4 = (h4 + e) | 0;
  }
  return [h0, h1, h2, h3, h4].map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('');
}

function rotl(word: number, by: number): number {
  return (word << by) | (word >>> (32 - by));
}
