import { FerruleError } from '../../core/errors.ts';
import { authenticateMessage, negotiateMessage, parseChallenge } from '../ntlm.ts';
import type { Signer, SignerContext } from '../signer.ts';

/**
 * NTLMv2 over HTTP (MS-NTHT; MS-NLMP). Values: `username`, `password`, `domain`, `workstation`. Its proof is for the connection: three
 * requests on one make it, then none carries a header until the server asks again. `memory` holds where the handshake stands.
 */
export const ntlm: Signer = {
  type: 'ntlm',
  connectionBound: true,

  sign(_request, context) {
    const { memory } = context;
    if (memory.proven === true) return {};
    const message = typeof memory.challenge === 'string' ? authenticate(memory.challenge, context) : negotiateMessage();
    return { headers: { authorization: `NTLM ${message.toString('base64')}` } };
  },

  about: () => ({ algorithm: 'NTLMv2', covers: ['the connection'] }),

  challenged({ headers }, { memory }) {
    const asked = challengeOf(headers['www-authenticate']);
    const answered = memory.challenge !== undefined;
    const begins = memory.proven === true;
    delete memory.challenge;
    delete memory.proven;
    // The proof was refused: the same one again would be too.
    if (asked === undefined || answered) return false;
    if (asked === '') return begins;
    memory.challenge = asked;
    return true;
  },

  answered({ status }, { memory }) {
    // Whatever it says of the request, it has let the connection in.
    if (status === 401 || memory.challenge === undefined) return;
    delete memory.challenge;
    memory.proven = true;
  },
};

/** The token behind NTLM; empty when it stands alone. Undefined: the server does not ask for NTLM. */
function challengeOf(header: string | undefined): string | undefined {
  const found = /(?:^|,)\s*NTLM(?:\s+([A-Za-z0-9+/]+=*))?\s*(?=,|$)/i.exec(header ?? '');
  return found === null ? undefined : (found[1] ?? '');
}

function authenticate(challenge: string, { values, now, random }: SignerContext): Buffer {
  const { username, password, domain, workstation } = values;
  if (username === undefined || password === undefined) {
    const field = username === undefined ? 'username' : 'password';
    throw new FerruleError('input_missing', `NTLM needs a ${field}`, { where: `fields.${field}` });
  }
  return authenticateMessage({
    challenge: parseChallenge(Buffer.from(challenge, 'base64')),
    negotiate: negotiateMessage(),
    ...{ username, password, domain, workstation, now, random },
  });
}
