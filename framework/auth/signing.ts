import { ABSENT } from '../core/absent.ts';
import type { Random } from '../core/clock.ts';
import type { Vars } from '../core/expression/index.ts';
import { compileText } from '../core/render.ts';
import type { ResolvedMethod } from '../core/resolved.ts';
import type { Scopes } from '../core/scope.ts';
import { reveal, Secret, type Text } from '../core/secret.ts';
import type { Answered, Signature, Unsigned } from '../core/signing.ts';
import type { Json } from '../core/value.ts';
import { awsSigv4 } from './sign/aws-sigv4.ts';
import { digest } from './sign/digest.ts';
// TODO http_signature
import { oauth1 } from './sign/oauth1.ts';
import type { Signer, SignerContext } from './signer.ts';

/** Every signer by its word in a spec. */
export const SIGNERS: ReadonlyMap<string, Signer> = new Map([awsSigv4, digest, oauth1].map((signer) => [signer.type, signer]));

export interface Signing {
  /** `over`: settings of one call, over the method's own. */
  sign(request: Unsigned, vars: Vars, now: number, over?: Readonly<Record<string, string>>): Signature;
  challenged(answer: Answered, vars: Vars): boolean;
}

/** A method's signer with its settings compiled; undefined where the method signs nothing. What a server asked for is kept here. */
export function createSigning({ signer }: ResolvedMethod, scopes: Scopes, random: Random): Signing | undefined {
  const strategy = signer && SIGNERS.get(signer.type);
  if (!signer || !strategy) return undefined;
  const memory: Record<string, Json> = {};
  const settings = compiled(signer.settings, scopes);
  const context = (vars: Vars, now: number, over?: Readonly<Record<string, string>>): SignerContext => ({
    // An assumed role must not sign the call that assumes it anew: a call of the method's own is signed by what the person entered.
    values: { ...texts(vars.fields), ...(over ? {} : texts(vars.token)), ...settings(vars), ...(over && compiled(over, scopes)(vars)) },
    now,
    random,
    memory,
  });
  return {
    sign: (request, vars, now, over) => strategy.sign(request, context(vars, now, over)),
    challenged: (answer, vars) => {
      const at = context(vars, (vars.now as Date).getTime());
      strategy.answered?.(answer, at);
      return answer.status === 401 && strategy.challenged?.(answer, at) === true;
    },
  };
}

type Texts = Record<string, string | undefined>;

function compiled(settings: Readonly<Record<string, string>>, scopes: Scopes): (vars: Vars) => Texts {
  const all = Object.entries(settings).map(([name, text]) => [name, compileText(text, 'plain', scopes.auth)] as const);
  return (vars) =>
    Object.fromEntries(
      all.map(([name, text]) => {
        const value = text(vars);
        // Empty text takes away what lies under it: a request for a first token is signed with none.
        return [name, value === ABSENT || value === '' ? undefined : reveal(value as Text)];
      }),
    );
}

/** Fields, then captures of the same names: a role that was assumed stands over the keys that assumed it. */
const texts = (from: unknown): Texts =>
  Object.fromEntries(
    Object.entries((from ?? {}) as Record<string, unknown>).flatMap(([name, value]) =>
      typeof value === 'string' || value instanceof Secret ? [[name, reveal(value)]] : [],
    ),
  );
