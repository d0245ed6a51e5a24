import type { ConnectorDescription, FieldDescription, MethodDescription } from './describe.ts';

/** The word under AuthScheme for each auth type, as the pages that people copy from write it. */
const SCHEMES: Readonly<Record<string, string>> = {
  none: 'None',
  api_key: 'APIKey',
  basic: 'Basic',
  bearer: 'Token',
  oauth2_client_credentials: 'OAuthClient',
  oauth2_authorization_code: 'OAuth',
};

/** Where `ferrule connect` listens unless it is told otherwise (auth/consent.ts has the same; a test compares). */
export const REDIRECT_URL = 'http://localhost:8765/callback';

/** One line that a person can copy and fill in: what they must replace stands in <>. */
export function connectionStringExample(connector: ConnectorDescription, method: MethodDescription): string {
  const ambiguous = connector.methods.filter(({ type }) => type === method.type).length > 1;
  // A method without a credential of its own may still sign in, by its steps: "None" would mislead.
  const steps = method.type === 'none' && method.fields.length > 0;
  const pairs: [string, string][] = [['AuthScheme', ambiguous || steps ? method.name : (SCHEMES[method.type] ?? method.name)]];
  if (method.token) pairs.push(['InitiateOAuth', 'GETANDREFRESH']);
  if (method.consent) pairs.push(['CallbackURL', REDIRECT_URL]);
  for (const { name, default: preset, options } of connector.choices) pairs.push([name, preset ?? options[0]?.id ?? '']);
  const fields = [...connector.fields.filter((field) => !field.after_auth), ...method.fields];
  for (const field of fields) if (field.required && field.default === undefined) pairs.push([field.aliases[0] ?? field.name, value(field)]);
  return pairs.map(([key, text]) => `${key}=${quoted(text)}`).join(';');
}

const value = ({ example, title, secret }: FieldDescription): string => (example === undefined || secret ? `<${title}>` : example);

const quoted = (text: string): string => (/[;'"]/.test(text) ? `'${text.replaceAll("'", "''")}'` : text);
