/**
 * A text as a URL, or undefined. Not by `URL.canParse`: once Node has optimised that call, it reads a text of Latin-1 letters (a soft
 * hyphen, an é) as other bytes, and so may say no where it said yes before.
 */
export function urlOf(text: string, base?: string | URL): URL | undefined {
  try {
    return new URL(text, base);
  } catch {
    return undefined; // all that its error says is that it is none
  }
}
