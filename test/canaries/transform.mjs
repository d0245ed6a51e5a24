// @swc/jest, with three lines put into the framework for the canary search: every FerruleError that is made, every event
// of every client, and everything that a command prints reach the recorder (setup.cjs). A place that is gone is an error.
import swc from '@swc/jest';

const PLACES = [
  ['framework/core/errors.ts', '    this.retryAfter = details.retryAfter;\n', '    globalThis.ferruleCanaries?.error(this);\n'],
  [
    'framework/http/client.ts',
    'export function createClient(options: ClientOptions): Client {\n',
    '  options = globalThis.ferruleCanaries?.traced(options) ?? options;\n',
  ],
  [
    'framework/cli/main.ts',
    'export async function main(argv: readonly string[], io: Io): Promise<number> {\n',
    '  globalThis.ferruleCanaries?.printed(io);\n',
  ],
];

function withRecorder(source, file) {
  const place = PLACES.find(([name]) => file.replaceAll('\\', '/').endsWith(`/${name}`));
  if (place === undefined) return source;
  const [name, before, added] = place;
  if (source.split(before).length !== 2) throw new Error(`test/canaries/transform.mjs: ${name} has no single line ${before}`);
  return source.replace(before, () => before + added);
}

export default {
  createTransformer(options) {
    const inner = swc.createTransformer(options);
    return {
      canInstrument: inner.canInstrument,
      process: (source, file, ...rest) => inner.process(withRecorder(source, file), file, ...rest),
      processAsync: (source, file, ...rest) => inner.processAsync(withRecorder(source, file), file, ...rest),
      getCacheKey: (source, file, ...rest) => `canaries-${inner.getCacheKey(withRecorder(source, file), file, ...rest)}`,
    };
  },
};
