import { type Data, type DataMap, isDataMap } from './data.ts';

/** As `core/xml` reads it: `@name` is an attribute, `#text` the text beside one, a list is an element again and again; null is none. */
export function xml(body: Data): string {
  const one = isDataMap(body) && Object.keys(body).length === 1 && !Array.isArray(Object.values(body)[0]);
  const root: DataMap = one ? (body as DataMap) : { response: Array.isArray(body) ? { record: body } : body };
  return `<?xml version="1.0" encoding="UTF-8"?>\n${elements(root)}`;
}

function elements(map: DataMap): string {
  return Object.entries(map)
    .filter(([name, value]) => !name.startsWith('@') && value !== null)
    .flatMap(([name, value]) => (name === '#text' ? [escaped(String(value))] : [value].flat().map((one) => element(name, one))))
    .join('');
}

function element(name: string, value: Data): string {
  const attributes = isDataMap(value) ? Object.entries(value).filter(([key]) => key.startsWith('@')) : [];
  const open = [name, ...attributes.map(([key, text]) => `${key.slice(1)}="${escaped(String(text))}"`)].join(' ');
  return `<${open}>${isDataMap(value) ? elements(value) : escaped(String(value))}</${name}>`;
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const escaped = (text: string): string => text.replace(/[&<>"]/g, (char) => ENTITIES[char]!);
