/** The tcp wire: newline-delimited JSON in UTF-8, one connection for each pair of machines. */
import { once } from 'node:events';
import { createConnection, createServer, type AddressInfo, type Socket } from 'node:net';
import split from 'split2';
import {
  encodeLine, LINE_MAX, parseLine, type Address, type Ear, type Line, type Link, type Listener,
  type Wire,
} from './wire.ts';

/** A peer that leaves this much unread reads nothing. */
const UNSENT_MAX_BYTES = 2 ** 20;

/** Bytes in, lines of the protocol out, however they were split and joined on their way. */
export const lineDecoder = () => split('\n', parseLine, { maxLength: LINE_MAX });

export const tcp: Wire = { listen, call };

async function listen({ host, port }: Address): Promise<Listener> {
  const early: Socket[] = [];
  let serve = (socket: Socket): void => void early.push(socket);
  const server = createServer({ pauseOnConnect: true }, (socket) => serve(socket));
  server.listen(port, host);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    answer(open) {
      serve = (socket) => connect(socket, open);
      early.splice(0).forEach(serve);
    },
    close() {
      serve = (socket) => socket.destroy();
      early.splice(0).forEach(serve);
      server.close();
    },
  };
}

function call(address: Address, hello: Line, open: (link: Link) => Ear): void {
  const socket = createConnection(address);
  socket.on('connect', () => socket.write(encodeLine(hello)));
  connect(socket, open, `${address.host}:${address.port}`);
}

/** Follows one connection to its end. */
function connect(socket: Socket, open: (link: Link) => Ear, where?: string): void {
  socket.setNoDelay(true);
  const ear = open({
    where: where ?? `${socket.remoteAddress}:${socket.remotePort}`,
    get isStuffed() { return socket.writableLength > UNSENT_MAX_BYTES; },
    send: (line) => void (socket.writable && socket.write(encodeLine(line))),
    end: () => socket.end(),
    destroy: () => socket.destroy(),
  });
  const lines = socket.pipe(lineDecoder());
  lines.on('data', (line: Line) => ear.hear(line));
  lines.on('error', ({ message }) => ear.refuse(message));
  // After an error comes 'close'; a caller that nobody answers has no other sign of why.
  socket.on('error', ({ code }: NodeJS.ErrnoException) => ear.failed(code ?? 'no connection'));
  socket.on('close', () => ear.closed());
}
