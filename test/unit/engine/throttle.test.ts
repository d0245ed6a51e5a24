import { connectSpec } from '../../../framework/engine/connect.ts';
import { acme, addresses } from '../../acme.ts';
import { canary } from '../../canary.ts';
import { FakeClock } from '../../clock.ts';
import { serve } from '../../server.ts';

describe("a person's own limit", () => {
  it('holds besides those of the spec, and without them', async () => {
    const spec = acme(`auth: { key: { type: bearer } }`);
    for (const rateLimits of [true, false]) {
      const server = await serve(() => ({ json: {} }));
      const clock = new FakeClock();
      const waits: number[] = [];
      const connection = await connectSpec(
        spec,
        { fields: { token: canary('throttle') } },
        {
          ...addresses(server.origin),
          clock,
          rateLimits,
          throttle: { requests: 2, per: 60_000 },
          onEvent: (event) => event.type === 'wait' && waits.push(event.wait),
        },
      );
      for (let count = 0; count < 3; count += 1) await connection.http.get('/x').json();
      // Two are free, the third waits for the minute to end.
      expect(waits).toEqual([60_000]);
      await connection.close();
      await server.close();
    }
  });
});
