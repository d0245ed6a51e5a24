import { type AddressInfo, createServer, type Socket } from 'node:net';

/** Bytes as they go out, in so many pieces, and what becomes of the connection. */
export interface RawAnswer {
  pieces: Uint8Array[];
  then: 'keep' | 'end' | 'reset';
}

export interface RawServer {
  origin: string;
  /** By the number in the request's path (`/c/7`) or in its form (`client_id=7`). Without: a sound answer. */
  answers: Map<number, RawAnswer>;
  close(): Promise<void>;
}

const SOUND: RawAnswer = {
  pieces: [Buffer.from('HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n{"ok":true}')],
  then: 'keep',
};

/** A server on loopback that says what it was told to say, whether that is HTTP or not. */
export async function serveRaw(): Promise<RawServer> {
  const answers = new Map<number, RawAnswer>();
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
    let waiting = '';
    socket.on('data', (chunk) => {
      waiting += chunk.toString('latin1');
      for (let request = wholeRequest(waiting); request !== undefined; request = wholeRequest(waiting)) {
        waiting = waiting.slice(request.length);
        const [, number] = /(?:^[A-Z]+ \S*\/c\/|client_id=)(\d+)/.exec(request) ?? [];
        say(socket, answers.get(Number(number)) ?? SOUND);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    answers,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/** The first request in it, when all of it is there. */
function wholeRequest(text: string): string | undefined {
  const head = text.indexOf('\r\n\r\n');
  if (head < 0) return undefined;
  const [, length = '0'] = /\r\ncontent-length: *(\d+)/i.exec(text.slice(0, head)) ?? [];
  const end = head + 4 + Number(length);
  return text.length < end ? undefined : text.slice(0, end);
}

function say(socket: Socket, { pieces, then }: RawAnswer, from = 0): void {
  if (socket.destroyed) return;
  const piece = pieces[from];
  if (piece === undefined) {
    if (then === 'end') socket.end();
    else if (then === 'reset') socket.resetAndDestroy();
    return;
  }
  socket.write(piece);
  // The next piece in a packet of its own, mostly.
  setImmediate(() => say(socket, { pieces, then }, from + 1));
}
