/** RFC 1320, 3.4: what each round of sixteen steps uses. */
interface Round {
  mix(x: number, y: number, z: number): number;
  /** Which of the block's sixteen words each step adds. */
  order: readonly number[];
  shifts: readonly number[];
  constant: number;
}

const ROUNDS: readonly Round[] = [
  {
    mix: (x, y, z) => (x & y) | (~x & z),
    order: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
    shifts: [3, 7, 11, 19],
    constant: 0,
  },
  {
    mix: (x, y, z) => (x & y) | (x & z) | (y & z),
    order: [0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15],
    shifts: [3, 5, 9, 13],
    constant: 0x5a827999,
  },
  {
    mix: (x, y, z) => x ^ y ^ z,
    order: [0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15],
    shifts: [3, 9, 11, 15],
    constant: 0x6ed9eba1,
  },
];

/**
 * MD4 (RFC 1320): 16 bytes. Long broken; here only because NTLM derives its keys with it, and OpenSSL 3, thus node:crypto, has it no more.
 * Both the client and the sandbox use this one: a hash alone, proven by the RFC's own test suite, is no protocol code to get wrong twice.
 */
export function md4(message: Uint8Array): Buffer {
  const blocks = padded(message);
  const state: [number, number, number, number] = [0x67452301, 0xefcdab89 | 0, 0x98badcfe | 0, 0x10325476];
  for (let at = 0; at < blocks.length; at += 64) addBlock(state, blocks.subarray(at, at + 64));
  const digest = Buffer.alloc(16);
  for (const [index, word] of state.entries()) digest.writeInt32LE(word, index * 4);
  return digest;
}

/** RFC 1320, 3.1 and 3.2: a one bit, zeros, and the length in bits, up to a multiple of 64 bytes. */
function padded(message: Uint8Array): Buffer {
  const blocks = Buffer.alloc(Math.ceil((message.length + 9) / 64) * 64);
  blocks.set(message);
  blocks[message.length] = 0x80;
  blocks.writeBigUInt64LE(BigInt(message.length) * 8n, blocks.length - 8);
  return blocks;
}

function addBlock(state: [number, number, number, number], block: Buffer): void {
  let [a, b, c, d] = state;
  for (const { mix, order, shifts, constant } of ROUNDS) {
    for (const [step, word] of order.entries()) {
      const sum = (a + mix(b, c, d) + block.readInt32LE(word * 4) + constant) | 0;
      const shift = shifts[step % 4] as number;
      [a, b, c, d] = [d, (sum << shift) | (sum >>> (32 - shift)), b, c];
    }
  }
  state[0] = (state[0] + a) | 0;
  state[1] = (state[1] + b) | 0;
  state[2] = (state[2] + c) | 0;
  state[3] = (state[3] + d) | 0;
}
