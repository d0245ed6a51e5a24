import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { open, openStream } from '../../../framework/destinations/lines.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ferrule-jsonl-'));
});
afterEach(() => rm(folder, { recursive: true }));

describe('lines', () => {
  it('writes one record a line and counts lines and bytes', async () => {
    const path = join(folder, 'a.jsonl');
    const writer = await open(path);
    await writer.write([{ id: '9007199254740993', name: 'é\n' }, {}]);
    await writer.write([]);
    await writer.write([{ n: 1.5 }]);
    const expected = '{"id":"9007199254740993","name":"é\\n"}\n{}\n{"n":1.5}\n';
    expect(await writer.close()).toEqual({ records: 3, bytes: Buffer.byteLength(expected) });
    expect(await readFile(path, 'utf8')).toBe(expected);
    await expect(writer.write([{}])).rejects.toMatchObject({ code: 'output_failed' });
  });

  it('empties a file that was there, and keeps order when nobody waits', async () => {
    const path = join(folder, 'b.jsonl');
    const first = await open(path);
    await first.write(Array.from({ length: 2500 }, (_, id) => ({ id })));
    await first.close();
    const writer = await open(path);
    const all = [1, 2, 3].map((id) => writer.write([{ id }]));
    await Promise.all(all);
    await writer.close();
    expect(await readFile(path, 'utf8')).toBe('{"id":1}\n{"id":2}\n{"id":3}\n');
  });

  it('says which file cannot be opened', async () => {
    const path = join(folder, 'none', 'c.jsonl');
    await expect(open(path)).rejects.toMatchObject({
      code: 'output_failed',
      where: path,
      message: `${path} cannot be opened for writing: the folder does not exist (ENOENT)`,
    });
  });

  it('reports a full device with the number of whole lines, at once and at close', async () => {
    const writer = await open('/dev/full');
    const failure = { code: 'output_failed', where: '/dev/full', message: expect.stringContaining('ENOSPC') as string };
    await expect(writer.write([{ id: 1 }])).rejects.toMatchObject(failure);
    await expect(writer.write([{ id: 2 }])).rejects.toMatchObject(failure);
    await expect(writer.close()).rejects.toMatchObject({ message: expect.stringContaining('it holds 0 whole lines') as string });
  });

  it('cuts a half-written line off: a file size limit of 4 KiB, real process, real short write', async () => {
    const path = join(folder, 'limited.jsonl');
    // 41 bytes a line ({"id":1000000,"text":"xxxxxxxxxxxxxxxx"} and a newline): 99 whole lines are 4,059 bytes, the 100th does not fit in 4,096.
    const script = `
      import { open } from './framework/destinations/lines.ts';
      process.on('SIGXFSZ', () => {});
      const writer = await open(${JSON.stringify(path)});
      await writer.write(Array.from({ length: 10 }, (_, i) => ({ id: 1000000 + i, text: 'x'.repeat(16) })));
      await writer.write(Array.from({ length: 500 }, (_, i) => ({ id: 1000010 + i, text: 'x'.repeat(16) }))).catch((e) => console.log(e.message));
    `;
    const file = join(folder, 'write.ts');
    await writeFile(file, script.replace('./framework', join(process.cwd(), 'framework')));
    const output = await new Promise<string>((resolve) => {
      // ulimit -f counts blocks of 1,024 bytes in bash.
      const child = spawn('bash', ['-c', `ulimit -f 4; exec "${process.execPath}" scripts/run.mjs "${file}"`], { cwd: process.cwd() });
      let text = '';
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
      child.on('close', () => resolve(text));
    });
    expect(output).toContain('it holds 99 whole lines');
    expect(output).toContain('EFBIG');
    expect((await stat(path)).size).toBe(99 * 41);
    const lines = (await readFile(path, 'utf8')).trimEnd().split('\n');
    expect(JSON.parse(lines[98]!)).toEqual({ id: 1000098, text: 'xxxxxxxxxxxxxxxx' });
  });

  it('waits for a slow stream and passes its failure on', async () => {
    const chunks: string[] = [];
    let busy = 0;
    const slow = new Writable({
      highWaterMark: 1,
      write(chunk: Buffer, _encoding, done) {
        expect(++busy).toBe(1);
        setTimeout(() => {
          busy -= 1;
          chunks.push(chunk.toString());
          done(chunks.length > 1 ? Object.assign(new Error('gone'), { code: 'EPIPE' }) : null);
        }, 5);
      },
    });
    slow.on('error', () => undefined);
    const writer = openStream(slow, 'standard output');
    await writer.write([{ id: 1 }]);
    expect(chunks).toEqual(['{"id":1}\n']);
    await expect(writer.write([{ id: 2 }])).rejects.toMatchObject({ code: 'output_failed', where: 'standard output' });
    expect(await writer.close()).toEqual({ records: 1, bytes: 9 });
  });
});
