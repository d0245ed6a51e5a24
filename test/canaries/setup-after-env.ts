/** What setup.cjs leaves for transform.mjs and for the tests of the search itself. */
interface Recorder {
  error(error: Error): void;
  traced<Options extends { onEvent?: (event: unknown) => void }>(options: Options): Options & { onEvent(event: unknown): void };
  printed(io: { stdout: NodeJS.WritableStream; stderr: NodeJS.WritableStream }): void;
  flush(): void;
}

declare global {
  var ferruleCanaries: Recorder | undefined;
}

afterEach(() => globalThis.ferruleCanaries?.flush());
afterAll(() => globalThis.ferruleCanaries?.flush());

export {};
