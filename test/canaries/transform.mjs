// @swc/jest, with three calls put into the framework for the canary search: every FerruleError that is made, every event
// of every client, and everything that a command prints reach the recorder (setup.cjs). A place that is gone is an error.
import swc from '@swc/jest';

/** File, the text that must stand there once, what stands there instead. */
const PLACES = [
  [
    'framework/core/errors.ts',
    'this.retryAfter = details.retryAfter;',
    'this.retryAfter = details.retryAfter; globalThis.ferruleCanaries?.error(this);',
  ],
  ['framework/http/client.ts', '=> new HttpClient(options);', '=> new HttpClient(globalThis.ferruleCanaries?.traced(options) ?? options);'],
  [
    'framework/cli/main.ts',
    'export async function main(argv: readonly string[], io: Io): Promise<number> {',
    'export async function main(argv: readonly string[], io: Io): Promise<number> { globalThis.ferruleCanaries?.printed(io);',
  ],
];

function withRecorder(source, file) {
  const place = PLACES.find(([name]) => file.replaceAll('\\', '/').endsWith(`/${name}`));
  if (place === undefined) return source;
  const [name, found, wanted] = place;
  if (source.split(found).length !== 2) throw new Error(`test/canaries/transform.mjs: in ${name} this does not stand once: ${found}`);
  return source.replace(found, () => wanted);
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
