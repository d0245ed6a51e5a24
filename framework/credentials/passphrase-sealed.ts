import { createCipheriv, createDecipheriv, createHash, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import type { Random } from '../core/clock.ts';
import { FerruleError } from '../core/errors.ts';
import { reveal, type Text } from '../core/secret.ts';

/*
 * What is sealed with a passphrase, in order:
 *
 *   one line of JSON, the header · ciphertext · tag, 16 bytes · SHA-256 of all before it
 *
 * AES-256-GCM with the header line as associated data, under a key that scrypt (RFC 7914) makes from the passphrase (UTF-8, NFC). scrypt gives
 * 48 bytes: 32 are the key, 16 stand in the header as `check`.
 *
 * Three failures are told apart. Damage: the hash at the end does not fit; it hides nothing and needs no passphrase. A wrong passphrase: the
 * check does not fit. That makes guessing no cheaper: each guess costs one scrypt, as it would with the tag alone, and the check says
 * nothing of the key (they are different blocks of PBKDF2). A change on purpose, its hash made anew: the tag does not fit.
 */
const FORMAT = 1;
/** OWASP's first choice for scrypt: 128 MiB for each guess. */
const COST = { n: 2 ** 17, r: 8, p: 1 };
/** What a header may ask of us: a file from elsewhere must not take all memory, nor minutes. Bytes, and rounds (n · r · p). */
const MOST_MEMORY = 256 * 1024 * 1024;
const MOST_ROUNDS = 4 * COST.n * COST.r * COST.p;
const MOST_HEADER = 1000;
export const MOST_SEALED = 64 * 1024 * 1024;

const SALT = 16;
const NONCE = 12;
const KEY = 32;
const CHECK = 16;
const TAG = 16;
const HASH = 32;

/** Fewer can be guessed from the file alone, without any limit to the tries. */
const SHORTEST_PASSPHRASE = 12;

type Cost = typeof COST;

interface Header extends Cost {
  salt: Buffer;
  nonce: Buffer;
  check: Buffer;
}

const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();

/** @throws FerruleError input_malformed when the passphrase is too short */
export async function sealWithPassphrase(text: string, passphrase: Text, random: Random): Promise<Buffer> {
  if ([...reveal(passphrase)].length < SHORTEST_PASSPHRASE) {
    throw new FerruleError('input_malformed', `The passphrase has fewer than ${SHORTEST_PASSPHRASE} characters.`, {
      where: 'passphrase',
      next: 'Take a longer one, such as five or six words: whoever has the file may try as many as they like.',
    });
  }
  const salt = Buffer.from(random.bytes(SALT));
  const nonce = Buffer.from(random.bytes(NONCE));
  const { key, check } = await derive(passphrase, salt, COST);
  const [salted, nonced, checked] = [salt, nonce, check].map((bytes) => bytes.toString('base64'));
  const head = Buffer.from(
    `${JSON.stringify({ ferrule_export: FORMAT, kdf: 'scrypt', ...COST, cipher: 'aes-256-gcm', salt: salted, nonce: nonced, check: checked })}\n`,
  );
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG });
  cipher.setAAD(head);
  const all = Buffer.concat([head, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  return Buffer.concat([all, sha256(all)]);
}

/** @throws FerruleError export_unreadable, passphrase_wrong */
export async function unsealWithPassphrase(bytes: Buffer, passphrase: Text): Promise<string> {
  const end = bytes.indexOf(0x0a) + 1;
  if (bytes.length > MOST_SEALED) throw unreadable(`is larger than ${MOST_SEALED / 1024 / 1024} MiB`);
  if (end === 0 || end > MOST_HEADER || bytes.length < end + TAG + HASH) throw unreadable('is none of Ferrule, or was cut');
  const head = bytes.subarray(0, end);
  const header = readHeader(head);
  const hashed = bytes.subarray(0, bytes.length - HASH);
  if (!sha256(hashed).equals(bytes.subarray(-HASH))) throw unreadable('is damaged: its checksum does not fit');
  const { key, check } = await derive(passphrase, header.salt, header);
  if (!timingSafeEqual(check, header.check)) throw new FerruleError('passphrase_wrong', 'The passphrase does not open the file.');
  const decipher = createDecipheriv('aes-256-gcm', key, header.nonce, { authTagLength: TAG });
  decipher.setAAD(head);
  decipher.setAuthTag(hashed.subarray(-TAG));
  try {
    return Buffer.concat([decipher.update(hashed.subarray(end, -TAG)), decipher.final()]).toString('utf8');
  } catch (error) {
    throw unreadable('was changed after it was made', error);
  }
}

async function derive(passphrase: Text, salt: Buffer, { n, r, p }: Cost): Promise<{ key: Buffer; check: Buffer }> {
  const secret = reveal(passphrase).normalize('NFC');
  const made = promisify<string, Buffer, number, object, Buffer>(scrypt);
  // The limit that Node has by default is below what this takes: 128 · n · r, and a little.
  const bytes = await made(secret, salt, KEY + CHECK, { N: n, r, p, maxmem: 128 * n * r + 1024 * 1024 + 128 * r * p });
  return { key: bytes.subarray(0, KEY), check: bytes.subarray(KEY) };
}

function readHeader(line: Buffer): Header {
  let found: Record<string, unknown>;
  try {
    found = Object(JSON.parse(line.toString('utf8'))) as Record<string, unknown>;
  } catch (error) {
    throw unreadable('is none of Ferrule', error);
  }
  if (found.ferrule_export === undefined) throw unreadable('is none of Ferrule');
  if (found.ferrule_export !== FORMAT || found.kdf !== 'scrypt' || found.cipher !== 'aes-256-gcm') {
    throw unreadable('has a format that this Ferrule does not know');
  }
  const [n, r, p] = [found.n, found.r, found.p].map((value) => (Number.isSafeInteger(value) ? (value as number) : 0)) as [
    number,
    number,
    number,
  ];
  const sound = n > 1 && Number.isInteger(Math.log2(n)) && r > 0 && p > 0;
  if (!sound || 128 * n * r > MOST_MEMORY || n * r * p > MOST_ROUNDS) throw unreadable('asks for more memory or time than Ferrule gives');
  const [salt, nonce, check] = [found.salt, found.nonce, found.check].map((text) =>
    Buffer.from(typeof text === 'string' ? text : '', 'base64'),
  );
  if (salt?.length !== SALT || nonce?.length !== NONCE || check?.length !== CHECK) throw unreadable('has a broken header');
  return { n, r, p, salt, nonce, check };
}

const unreadable = (what: string, cause?: unknown): FerruleError =>
  new FerruleError('export_unreadable', `The file of credentials ${what}.`, cause === undefined ? {} : { cause });
