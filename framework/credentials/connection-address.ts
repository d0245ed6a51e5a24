import { urlOf } from '../core/url.ts';
import type { ConnectorShape } from './types.ts';

/**
 * The option that an address stands for: the one with an attribute that is this URL or its host, as each of Amazon's three authorize
 * URLs stands for a region. Undefined when none has it; of several the one that is chosen already.
 */
export function chooseByAddress(
  address: string,
  { choices }: ConnectorShape,
  chosen: Readonly<Record<string, string>>,
): { choice: string; id: string } | 'malformed' | 'several' | undefined {
  const url = urlOf(address);
  if (url?.protocol !== 'https:' || url.username !== '' || url.password !== '') return 'malformed';
  const found = choices.flatMap(({ name, options }) =>
    options.filter(({ attributes }) => Object.values(attributes).some((value) => isOf(value, url))).map(({ id }) => ({ choice: name, id })),
  );
  const agreed = found.find(({ choice, id }) => chosen[choice] === id);
  if (agreed || found.length <= 1) return agreed ?? found[0];
  return 'several';
}

const isOf = (attribute: string, url: URL): boolean =>
  attribute.toLowerCase() === url.host || (urlOf(attribute)?.host === url.host && url.href.startsWith(attribute));
