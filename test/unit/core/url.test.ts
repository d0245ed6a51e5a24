import { urlOf } from '../../../framework/core/url.ts';

it('says of a text today what it said yesterday', () => {
  // After some thousand calls Node's own URL.canParse takes letters of Latin-1 for others.
  const texts = ['https://api\u00ad.acme.test/x', 'https://\u00e9.acme.test', 'no URL', 'https://acme.test:99999'];
  const said = new Set<string>();
  for (let round = 0; round < 20_000; round += 1) said.add(texts.map((text) => urlOf(text)?.hostname).join());
  expect([...said]).toEqual(['api.acme.test,xn--9ca.acme.test,,']);
  expect(urlOf('/x', 'https://acme.test')?.href).toBe('https://acme.test/x');
});
