import { answers } from './answers.ts';
import { connectionStrings } from './connection-strings.ts';
import { expressions } from './expressions.ts';
import { inputs } from './inputs.ts';
import { json } from './json.ts';
import { linkHeaders } from './link-headers.ts';
import { sealed } from './sealed.ts';
import { specs } from './specs.ts';
import { type Target, target } from './target.ts';
import { verbatim } from './verbatim.ts';
import { waits } from './waits.ts';

/** Every door, in the order in which a run goes through them. */
export const TARGETS: readonly Target[] = [
  target(specs),
  target(inputs),
  target(connectionStrings),
  target(answers),
  target(linkHeaders),
  target(waits),
  target(sealed),
  target(json),
  target(verbatim),
  target(expressions),
];
