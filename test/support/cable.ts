import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A way to a server that can be cut and mended, as a network does by itself. */
export class Cable {
  private readonly sockets = new Set<Socket>();
  private isCut = false;

  private constructor(
    /** The address of the server by way of this. */
    readonly url: string,
    private readonly listener: ReturnType<typeof createServer>,
  ) {}

  /**
   * Lays a way to a server.
   *
   * @param address - of the server
   */
  static async to(address: string): Promise<Cable> {
    const { hostname, port } = new URL(address);
    const listener = createServer().listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const url = new URL(address);
    url.port = String((listener.address() as AddressInfo).port);
    const cable = new Cable(url.href, listener);
    listener.on('connection', (near) => {
      if (cable.isCut) return void near.destroy();
      const far = connect(Number(port), hostname);
      for (const socket of [near, far]) {
        cable.sockets.add(socket);
        socket.on('error', () => undefined).on('close', () => cable.sockets.delete(socket));
      }
      near.pipe(far).pipe(near);
    });
    return cable;
  }

  /** Cuts all connections, and lets none through. */
  cut(): void {
    this.isCut = true;
    for (const socket of this.sockets) socket.destroy();
  }

  /** Lets connections through again. */
  mend(): void {
    this.isCut = false;
  }

  /** Takes it away. */
  async remove(): Promise<void> {
    this.cut();
    this.listener.close();
    await once(this.listener, 'close');
  }
}
