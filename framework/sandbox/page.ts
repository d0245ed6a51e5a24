import { type Answer, html } from './answer.ts';
import type { View } from './view.ts';

/** A page on which a person decides; `fields` go along unseen. */
export function decisionPage(view: View, action: string, says: readonly string[], fields: Record<string, string>, input = ''): Answer {
  const title = `${escaped(view.resolved.title)} (sandbox)`;
  const hidden = Object.entries(fields).map(([name, value]) => `<input type="hidden" name="${name}" value="${escaped(value)}">`);
  const button = (decision: string, label: string) => `<button name="decision" value="${decision}">${label}</button>`;
  return html(
    200,
    `<title>${title}</title>
<body><h1>${title}</h1>
${says.map((line) => `<p>${escaped(line)}</p>`).join('\n')}
<form method="post" action="${action}">${hidden.join('')}${input}
${button('accept', 'Accept')} ${button('deny', 'Deny')}</form></body>`,
  );
}

/** The page of a browser application: what stands behind the # reaches no server, so that a script brings it. */
export const fragmentPage = (): Answer =>
  html(
    200,
    `<title>One moment</title>
<body><script>if (location.hash.includes('?')) location.replace(location.pathname + location.hash.replace(/^[^?]*/, ''))</script></body>`,
  );

export const stop = (status: number, message: string): Answer =>
  html(status, `<title>Stopped</title>\n<body><p>${escaped(message)}</p></body>`);

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
export const escaped = (text: string): string => text.replace(/[&<>"']/g, (char) => ENTITIES[char]!);
