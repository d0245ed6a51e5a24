import type { InputSource } from './inputs.ts';

const upper = (word: string): string => word.replace(/[^a-zA-Z0-9]+/g, '_').toUpperCase();

/** The variable that a field or choice is looked for in: `FERRULE_AMAZON_ADS_CLIENT_ID`. */
export const environmentName = (connector: string, name: string): string => `FERRULE_${upper(connector)}_${upper(name)}`;

/** The variable that a field of `owner: app` is looked for in, for every credential alike: `FERRULE_APP_AMAZON_ADS_CLIENT_ID`. */
export const appVariable = (connector: string, name: string): string => `FERRULE_APP_${upper(connector)}_${upper(name)}`;

/** Values of the named fields and choices from the environment. Empty variables count as not set. Read only. */
export function environmentInputs(
  connector: string,
  names: Iterable<string>,
  env: Readonly<Record<string, string | undefined>> = process.env,
): InputSource {
  const values: Record<string, string> = {};
  for (const name of names) {
    const value = env[environmentName(connector, name)];
    if (value !== undefined && value !== '') values[name] = value;
  }
  return { name: 'environment', values, label: (name) => environmentName(connector, name) };
}
