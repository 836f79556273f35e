/** A port to listen on belongs to another process. */
export class PortTakenError extends Error {
  override readonly name = 'PortTakenError';
  readonly protocol: 'grpc' | 'http';
  readonly port: number;

  constructor(protocol: 'grpc' | 'http', port: number) {
    super(`the ${protocol} port ${port} is taken`);
    this.protocol = protocol;
    this.port = port;
  }
}
