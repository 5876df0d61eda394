import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

const LISTENER = `
const { parentPort, workerData } = require('node:worker_threads');
const counter = new Int32Array(workerData);
const server = require('node:net').createServer((socket) => {
  Atomics.add(counter, 0, 1);
  socket.end('HTTP/1.1 404 Not Found\\r\\nContent-Length: 0\\r\\n\\r\\n');
});
server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));
`;

/** A listener on the loopback in a thread of its own, so that it also counts while a test waits for a process. */
export class Loopback {
  private readonly counter = new SharedArrayBuffer(4);
  private readonly worker = new Worker(LISTENER, { eval: true, workerData: this.counter });
  port = 0;

  async listen(): Promise<void> {
    [this.port] = (await once(this.worker, 'message')) as [number];
  }

  /** Connections since it listens. */
  get connections(): number {
    return Atomics.load(new Int32Array(this.counter), 0);
  }

  async close(): Promise<void> {
    await this.worker.terminate();
  }
}
