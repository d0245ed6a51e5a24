/** A part of a text that another takes the place of; an insertion where start is end. Offsets are those of the old text. */
export interface TextEdit {
  start: number;
  end: number;
  text: string;
}

/** Edits that do not overlap. Those at one place come in the order in which they are given. */
export function applyEdits(text: string, edits: readonly TextEdit[]): string {
  const parts: string[] = [];
  let at = 0;
  for (const edit of inOrder(edits)) {
    parts.push(text.slice(at, edit.start), edit.text);
    at = edit.end;
  }
  return parts.join('') + text.slice(at);
}

const inOrder = (edits: readonly TextEdit[]): TextEdit[] => [...edits].sort((a, b) => a.start - b.start);

/** Lines shown around a change. */
const CONTEXT = 3;

/** Lines `from` to `to` (not in it) of the old text, and what stands there now. */
interface Change {
  from: number;
  to: number;
  lines: string[];
}

/** The edits as a unified diff, as `diff -u` and `git diff` print it. Empty where nothing changes. */
export function unifiedDiff(text: string, edits: readonly TextEdit[], file: string): string {
  const old = text.split('\n');
  const changes = changesOf(old, edits);
  if (changes.length === 0) return '';
  const hunks: Change[][] = [];
  for (const change of changes) {
    const last = hunks.at(-1);
    if (last !== undefined && change.from - (last.at(-1) as Change).to <= 2 * CONTEXT) last.push(change);
    else hunks.push([change]);
  }
  let grown = 0;
  const shown = hunks.map((hunk) => {
    const written = hunkText(old, hunk, grown);
    grown += hunk.reduce((sum, { from, to, lines }) => sum + lines.length - (to - from), 0);
    return written;
  });
  return `--- ${file}\n+++ ${file}\n${shown.join('')}`;
}

/** Edits that touch the same lines are one change; lines that stay the same at its ends are none. */
function changesOf(old: readonly string[], edits: readonly TextEdit[]): Change[] {
  const starts = [0];
  for (const line of old) starts.push((starts.at(-1) as number) + line.length + 1);
  const lineAt = (offset: number): number => starts.findIndex((_, line) => offset < (starts[line + 1] ?? Number.POSITIVE_INFINITY));
  const groups: { from: number; to: number; edits: TextEdit[] }[] = [];
  for (const edit of inOrder(edits)) {
    const [from, to] = [lineAt(edit.start), lineAt(edit.end) + 1];
    const last = groups.at(-1);
    if (last !== undefined && from < last.to) {
      last.to = Math.max(last.to, to);
      last.edits.push(edit);
    } else groups.push({ from, to, edits: [edit] });
  }
  return groups.map(({ from, to, edits: own }) => {
    const base = starts[from] as number;
    const now = applyEdits(
      old.slice(from, to).join('\n'),
      own.map((edit) => ({ ...edit, start: edit.start - base, end: edit.end - base })),
    );
    return trimmed(old, { from, to, lines: now.split('\n') });
  });
}

function trimmed(old: readonly string[], { from, to, lines }: Change): Change {
  let [first, last] = [from, to];
  let now = lines;
  while (first < last && now.length > 0 && old[first] === now[0]) {
    first += 1;
    now = now.slice(1);
  }
  while (first < last && now.length > 0 && old[last - 1] === now.at(-1)) {
    last -= 1;
    now = now.slice(0, -1);
  }
  return { from: first, to: last, lines: now };
}

function hunkText(old: readonly string[], changes: readonly Change[], grown: number): string {
  // What follows the last line break is no line.
  const count = old.at(-1) === '' ? old.length - 1 : old.length;
  const from = Math.max(0, (changes[0] as Change).from - CONTEXT);
  const to = Math.min(count, (changes.at(-1) as Change).to + CONTEXT);
  const lines: string[] = [];
  let at = from;
  for (const change of changes) {
    lines.push(...old.slice(at, change.from).map((line) => ` ${line}`));
    lines.push(...old.slice(change.from, change.to).map((line) => `-${line}`), ...change.lines.map((line) => `+${line}`));
    at = change.to;
  }
  lines.push(...old.slice(at, to).map((line) => ` ${line}`));
  const size = lines.filter((line) => !line.startsWith('+')).length;
  const newSize = lines.filter((line) => !line.startsWith('-')).length;
  return `@@ -${from + 1},${size} +${from + 1 + grown},${newSize} @@\n${lines.join('\n')}\n`;
}
