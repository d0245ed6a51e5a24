// Runs before each test file of the canary run. Records what the test process throws, traces, prints and deletes into
// FERRULE_CANARY_RECORDS, one JSON line each; run.ts searches it. CommonJS, since it has to change Node's modules before
// any ES module takes its names from them.
const childProcess = require('node:child_process');
const { createHash } = require('node:crypto');
const fs = require('node:fs');
const { join, resolve, sep } = require('node:path');
const { inspect } = require('node:util');

const folder = process.env.FERRULE_CANARY_RECORDS;
const watched = process.env.FERRULE_CANARY_WATCH.split(':');
const show = (value) => inspect(value, { showHidden: true, depth: 10, maxArrayLength: null, maxStringLength: null });

/** What is done while this is true is the recorder's own doing. */
let recording = false;
function quietly(action) {
  if (recording) return;
  recording = true;
  try {
    action();
  } finally {
    recording = false;
  }
}

function record(kind, text) {
  const { currentTestName = '', testPath = '' } = globalThis.expect?.getState() ?? {};
  const line = { kind, test: currentTestName, file: testPath.split(`${sep}test${sep}`).at(-1), text };
  quietly(() => fs.appendFileSync(join(folder, `${process.pid}.jsonl`), `${JSON.stringify(line)}\n`));
}

const latin1 = (chunk) => Buffer.from(chunk).toString('latin1');

/** Does the code so many calls up stand in a test? Then the text is the test's own, and no leak of ours. */
function calledByTest(depth) {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = depth + 1;
  const frame = new Error('where').stack.split('\n')[depth] ?? '';
  Error.stackTraceLimit = stackTraceLimit;
  return /[/\\]test[/\\](?!canaries[/\\]leak)/.test(frame);
}

const thrown = [];
/** A property test makes the same error ten thousand times: of one code in one test so many are kept. */
const ENOUGH = 300;
let counts = new Map();

globalThis.ferruleCanaries = {
  error(error) {
    // The message, calledByTest, error, the constructor, whoever made it.
    const count = (counts.get(error.code) ?? 0) + 1;
    counts.set(error.code, count);
    if (count <= ENOUGH && !calledByTest(4)) thrown.push(error);
  },
  traced(options) {
    const onEvent = (event) => {
      record('event', show(event));
      options.onEvent?.(event);
    };
    return { ...options, onEvent };
  },
  printed(io) {
    for (const name of ['stdout', 'stderr']) tee(io[name], 'write', `a command's ${name}`);
  },
  // Called after each test: by then an error has got all that anyone adds to it.
  flush() {
    for (const error of thrown.splice(0)) record('error', `${show(error)}\n${JSON.stringify(error)}`);
    counts = new Map();
  },
};

/** Puts a recorder in front of a method that takes a chunk first. */
function tee(stream, method, kind) {
  const original = stream[method];
  stream[method] = function watchedChunk(...args) {
    if (typeof args[0] === 'string' || args[0] instanceof Uint8Array) handlers().record(kind, latin1(args[0]));
    return original.apply(this, args);
  };
}

for (const method of ['log', 'info', 'warn', 'error', 'debug', 'dir', 'trace']) {
  const original = console[method].bind(console);
  console[method] = (...args) => {
    record(`console.${method}`, args.map(show).join('\n'));
    original(...args);
  };
}

const isWatched = (path) => typeof path === 'string' && watched.some((one) => resolve(path).startsWith(one + sep));

/** A copy of what is about to be gone, folders whole. */
function keep(path) {
  if (recording || !isWatched(path) || !fs.existsSync(path)) return;
  let refused;
  quietly(() => {
    try {
      fs.cpSync(path, join(folder, 'deleted', `${process.pid}-${process.hrtime.bigint()}`), { recursive: true, verbatimSymlinks: true });
    } catch (error) {
      refused = error;
    }
  });
  // A socket, say, or a folder without rights. It is said, so that it cannot hide a file.
  if (refused !== undefined) record('not copied', String(refused));
}

/** What a test writes itself (a spec, a file of inputs) may hold canaries: known by its content. */
function given(content) {
  if (recording || !(typeof content === 'string' || content instanceof Uint8Array)) return;
  // The message, calledByTest, given, the action below, watchedCall, whoever writes.
  if (!calledByTest(5)) return;
  quietly(() => fs.appendFileSync(join(folder, 'given'), `${createHash('sha256').update(content).digest('hex')}\n`));
}

// Node's modules are shared by all test files of one worker, so they are changed once; what they call is the present file's.
const KEY = Symbol.for('ferrule.canaries');
const handlers = () => fs[KEY];
const first = fs[KEY] === undefined;
fs[KEY] = { record, keep, given };

function before(object, name, action) {
  const original = object[name];
  object[name] = function watchedCall(...args) {
    action(args);
    return original.apply(this, args);
  };
}

function watchFiles() {
  for (const name of ['rm', 'rmSync', 'unlink', 'unlinkSync']) before(fs, name, ([path]) => handlers().keep(path));
  for (const name of ['rm', 'unlink']) before(fs.promises, name, ([path]) => handlers().keep(path));
  for (const name of ['rename', 'renameSync']) before(fs, name, ([, target]) => handlers().keep(target));
  before(fs.promises, 'rename', ([, target]) => handlers().keep(target));
  for (const name of ['writeFile', 'writeFileSync']) before(fs, name, ([, content]) => handlers().given(content));
  before(fs.promises, 'writeFile', ([, content]) => handlers().given(content));
}

/** Output of programs that tests start: pushed by Node into the stream, or given back whole. */
function watchPrograms() {
  const { spawn } = childProcess.ChildProcess.prototype;
  childProcess.ChildProcess.prototype.spawn = function watchedSpawn(...args) {
    const result = spawn.apply(this, args);
    for (const name of ['stdout', 'stderr']) if (this[name]) tee(this[name], 'push', `${name} of a program`);
    return result;
  };
  for (const name of ['spawnSync', 'execFileSync', 'execSync']) {
    const original = childProcess[name];
    childProcess[name] = (...args) => {
      const result = original(...args);
      const outputs = name === 'spawnSync' ? (result.output ?? []) : [result];
      for (const output of outputs) if (output) handlers().record('output of a program', latin1(output));
      return result;
    };
  }
}

if (first) {
  watchFiles();
  watchPrograms();
}
