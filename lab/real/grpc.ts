/** The grpc wire: for each pair of machines one bidirectional stream of the lines of wire.proto. */
import { fileURLToPath } from 'node:url';
import {
  type ClientDuplexStream, credentials, loadPackageDefinition, Metadata, Server, ServerCredentials,
  type ServerDuplexStream, type ServiceClientConstructor, status,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import {
  addressText, asLine, LINE_MAX, type Address, type Ear, type Hello, type Line, type Link,
  type Listener, type Wire,
} from './wire.ts';

const UNSENT_MAX = 50_000; // Messages; a peer that leaves so many unread reads nothing.
const OPTIONS = {
  // A stream that breaks is a cut: nothing is sent again, and a new channel has to replace it.
  'grpc.enable_retries': 0,
  'grpc.use_local_subchannel_pool': 1,
  'grpc.max_receive_message_length': LINE_MAX,
};
const SILENT_MAX_MS = 5000; // A connection without a stream is closed after this.

/** A line as proto-loader gives and takes it; `line` names the field that is set. */
interface Message {
  line?: string;
  hello?: { id: number; life: number };
  ready?: boolean;
  start_us?: number;
  clock?: number;
  stop?: boolean;
}
type Stream = ClientDuplexStream<Message, Message> | ServerDuplexStream<Message, Message>;

const { lab } = loadPackageDefinition(loadSync(
  fileURLToPath(new URL('wire.proto', import.meta.url)),
  { keepCase: true, longs: Number, oneofs: true })) as unknown as {
  lab: { Machine: ServiceClientConstructor };
};

export const grpc: Wire = { listen, call };

async function listen(address: Address, token: string): Promise<Listener> {
  const early: ServerDuplexStream<Message, Message>[] = [];
  let serve = (stream: ServerDuplexStream<Message, Message>): void => void early.push(stream);
  const server = new Server({ ...OPTIONS, 'grpc.max_connection_idle_ms': SILENT_MAX_MS });
  server.addService(lab.Machine.service, {
    talk: (stream: ServerDuplexStream<Message, Message>) => serve(stream),
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(addressText(address), ServerCredentials.createInsecure(), (error, found) =>
      (error ? reject(Object.assign(error, { code: reason(error.message) })) : resolve(found)));
  });
  const greeting = new Metadata();
  greeting.set('token', token);
  return {
    port,
    answer(open) {
      serve = (stream) => {
        stream.sendMetadata(greeting);
        const end = () => stream.emit('error', { code: status.CANCELLED, details: 'closed' });
        connect(stream, open, stream.getPeer(), stream.metadata, end);
      };
      early.splice(0).forEach(serve);
    },
    close() {
      serve = (stream) => stream.end();
      early.splice(0).forEach(serve);
      server.tryShutdown(() => {});
    },
  };
}

function call(address: Address, hello: Hello, open: (link: Link) => Ear): void {
  const where = addressText(address);
  const client = new lab.Machine(where, credentials.createInsecure(), OPTIONS);
  const greeting = new Metadata();
  greeting.set('token', hello.token);
  const stream = client.talk!(greeting) as ClientDuplexStream<Message, Message>;
  const theirs = new Metadata();
  stream.on('metadata', (metadata: Metadata) => theirs.merge(metadata));
  connect(stream, open, where, theirs, () => stream.cancel(), () => client.close());
  stream.write(encode(hello));
}

/**
 * Follows one stream to its end.
 * @param theirs metadata of the other end, which hold the token
 * @param cancel ends it at once
 * @param done is called after it
 */
function connect(
  stream: Stream, open: (link: Link) => Ear, where: string, theirs: Metadata,
  cancel: () => void, done = (): void => {},
): void {
  const isCaller = 'cancel' in stream;
  let isOver = false;
  const over = () => {
    if (isOver) return;
    isOver = true;
    done();
    ear.closed();
  };
  const ear = open({
    where,
    get isStuffed() { return stream.writableLength > UNSENT_MAX; },
    send: (line) => void (!isOver && stream.writable && stream.write(encode(line))),
    // A server that ends a stream ends it both ways, with all that is still under way to it: so it
    // waits for the caller, who hangs up when it hears the goodbye.
    end: () => void (isCaller && stream.end()),
    destroy() {
      if (isOver) return;
      over();
      cancel();
    },
  });
  stream.on('data', (message: Message) => {
    if (isOver) return;
    const line = asLine(decode(message, String(theirs.get('token')[0] ?? '')));
    if (line) ear.hear(line);
    if (line && 'stop' in line && isCaller) stream.end();
    if (!line) ear.refuse(`not a line of the protocol: ${JSON.stringify(message).slice(0, 60)}`);
  });
  stream.on('error', ({ message }: Error) => {
    if (!isOver) ear.failed(reason(message));
    over();
  });
  stream.on('end', () => {
    stream.end();
    over();
  });
  stream.on('cancelled', over);
  stream.on('close', over);
}

/** The system's word for what went wrong, where there is one in gRPC's sentence. */
const reason = (message: string): string => /\bE[A-Z]{4,}\b/.exec(message)?.[0] ?? message;

function encode(line: Line): Message {
  if (!('hello' in line)) return line;
  return { hello: { id: line.hello, life: line.life ?? 0 } };
}

/** A message as the value that the tcp wire would have carried. */
function decode({ hello, start_us, clock, ...flags }: Message, token: string): unknown {
  if (hello) return { hello: hello.id, life: hello.life, token };
  return { ...flags, ...(start_us !== undefined && { start_us }),
    ...(clock !== undefined && { clock }) };
}
