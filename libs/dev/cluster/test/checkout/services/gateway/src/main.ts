import { serveGateway } from '../../../stand-in.ts';

await serveGateway();
