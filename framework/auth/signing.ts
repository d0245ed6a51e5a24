import { ABSENT } from '../core/absent.ts';
import type { Random } from '../core/clock.ts';
import type { Vars } from '../core/expression/index.ts';
import { compileText } from '../core/render.ts';
import type { ResolvedMethod } from '../core/resolved.ts';
import type { Scopes } from '../core/scope.ts';
import { reveal, Secret, type Text } from '../core/secret.ts';
import type { Answered, Signature, SignatureAbout, Unsigned } from '../core/signing.ts';
import type { Json } from '../core/value.ts';
import type { CaptureValue } from '../credentials/types.ts';
import { awsSigv4 } from './sign/aws-sigv4.ts';
import { digest } from './sign/digest.ts';
import { httpSignature } from './sign/http-signature.ts';
import { ntlm } from './sign/ntlm.ts';
import { oauth1 } from './sign/oauth1.ts';
import type { Signer, SignerContext } from './signer.ts';

/** Every signer by its word in a spec. */
export const SIGNERS: ReadonlyMap<string, Signer> = new Map(
  [awsSigv4, digest, httpSignature, ntlm, oauth1].map((signer) => [signer.type, signer]),
);

export interface Signing {
  /** Its proof is for a connection, not for a request. */
  connectionBound: boolean;
  /** `over`: settings of one call, over the method's own. */
  sign(request: Unsigned, at: SigningMoment, over?: Readonly<Record<string, string>>): Signature;
  /** What the signature of that moment covers. */
  about(request: Unsigned, signature: Signature, at: SigningMoment): SignatureAbout | undefined;
  challenged(answer: Answered, at: SigningMoment): boolean;
}

export interface SigningMoment {
  /** Worked out only where a setting names something. */
  vars: () => Vars;
  captures: Readonly<Record<string, CaptureValue>>;
  /** Milliseconds since the epoch. */
  now: number;
  /** What is kept of the connection, where the proof is for one. */
  connection?: Record<string, Json> | undefined;
}

/**
 * A method's signer with its settings compiled; undefined where the method signs nothing. What a server asked for is kept here.
 * `fields`: the connection's, which never change.
 */
export function createSigning({ signer }: ResolvedMethod, scopes: Scopes, random: Random, fields: unknown): Signing | undefined {
  const strategy = signer && SIGNERS.get(signer.type);
  if (!signer || !strategy) return undefined;
  const memory: Record<string, Json> = {};
  const derived = new Map<string, unknown>();
  const settings = compiled(signer.settings, scopes);
  const entered = texts(fields);
  let captured: { from: unknown; texts: Texts } = { from: undefined, texts: {} };
  const context = ({ vars, captures, now, connection }: SigningMoment, over?: Readonly<Record<string, string>>): SignerContext => {
    if (captured.from !== captures) captured = { from: captures, texts: texts(captures) };
    // An assumed role must not sign the call that assumes it anew: a call of the method's own is signed by what the person entered.
    const values = { ...entered, ...(over ? {} : captured.texts), ...settings(vars), ...(over && compiled(over, scopes)(vars)) };
    return { values, now, random, memory: connection ?? memory, derived };
  };
  return {
    connectionBound: strategy.connectionBound === true,
    sign: (request, at, over) => strategy.sign(request, context(at, over)),
    about: (request, signature, at) => strategy.about(request, signature, context(at)),
    challenged: (answer, at) => {
      // Most signers look at no answer.
      if (!strategy.challenged && !strategy.answered) return false;
      const known = context(at);
      strategy.answered?.(answer, known);
      return answer.status === 401 && strategy.challenged?.(answer, known) === true;
    },
  };
}

type Texts = Record<string, string | undefined>;

/** Empty text takes away what lies under it: a request for a first token is signed with none. */
function compiled(settings: Readonly<Record<string, string>>, scopes: Scopes): (vars: () => Vars) => Texts {
  const fixed: Texts = {};
  const made: [string, (vars: Vars) => unknown][] = [];
  for (const [name, text] of Object.entries(settings)) {
    if (text.includes('$')) made.push([name, compileText(text, 'plain', scopes.auth)]);
    else fixed[name] = text === '' ? undefined : text;
  }
  return (vars) => {
    if (made.length === 0) return fixed;
    const known = vars();
    const result = { ...fixed };
    for (const [name, text] of made) {
      const value = text(known);
      result[name] = value === ABSENT || value === '' ? undefined : reveal(value as Text);
    }
    return result;
  };
}

/** Fields, then captures of the same names: a role that was assumed stands over the keys that assumed it. */
const texts = (from: unknown): Texts =>
  Object.fromEntries(
    Object.entries((from ?? {}) as Record<string, unknown>).flatMap(([name, value]) =>
      typeof value === 'string' || value instanceof Secret ? [[name, reveal(value)]] : [],
    ),
  );
