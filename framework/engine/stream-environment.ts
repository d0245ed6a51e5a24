import type { StreamEnvironment } from '../streams/environment.ts';
import type { Session } from './session.ts';

/** What a session's streams are read with. `now`: one moment for a whole read, for a range that ends now must not grow between two pages. */
export function streamEnvironment(session: Session, now: number, signal?: AbortSignal): StreamEnvironment {
  const { resolved, scopes, clock } = session;
  return {
    streams: resolved.streams,
    scopes,
    bigIntegers: resolved.http.big_integers,
    clock,
    variables: (at = now) => session.apiVariables(signal, at),
    fetch: async (draft, call, { redraft, elsewhere, anyType }) => {
      const page = await session.page(call, draft, {
        redraft,
        ...(signal && { signal }),
        ...(elsewhere && { elsewhere }),
        ...(anyType && { anyType }),
      });
      const { status, headers, empty, bytes, stream } = page;
      return {
        ...{ status, headers, empty, bytes, body: stream },
        // Few streams look at them.
        get cookies() {
          return page.cookies;
        },
        get url() {
          return page.url;
        },
        json: () => page.json(),
      };
    },
    ...(signal && { signal }),
  };
}
