import { status, type Server, type ServerDuplexStream } from '@grpc/grpc-js';
import {
  ServerReflectionService,
  type ServerReflectionRequest,
  type ServerReflectionResponse,
} from '../../../contract/src/gen/grpc/reflection/v1/reflection.ts';
import { ServerReflectionService as AlphaService } from '../../../contract/src/gen/grpc/reflection/v1alpha/reflection.ts';
import { findExtensionNumbers, findFile, findFileOfExtension, findFileOfSymbol } from './descriptor-index.ts';

type Answer = ServerReflectionResponse['messageResponse'];
type Question = NonNullable<ServerReflectionRequest['messageRequest']>;

function failure(errorCode: number, errorMessage: string): Answer {
  return { $case: 'errorResponse', value: { errorCode, errorMessage } };
}

function toFiles(files: Buffer[] | undefined, what: string): Answer {
  if (files === undefined) return failure(status.NOT_FOUND, `${what} is not known`);
  return { $case: 'fileDescriptorResponse', value: { fileDescriptorProto: files } };
}

function toNumbers(baseTypeName: string): Answer {
  const extensionNumber = findExtensionNumbers(baseTypeName);
  if (extensionNumber === undefined) return failure(status.NOT_FOUND, `type ${baseTypeName} is not known`);
  return { $case: 'allExtensionNumbersResponse', value: { baseTypeName, extensionNumber } };
}

function answer(question: Question | undefined, services: readonly string[]): Answer {
  switch (question?.$case) {
    case 'listServices':
      return { $case: 'listServicesResponse', value: { service: services.map((name) => ({ name })) } };
    case 'fileByFilename':
      return toFiles(findFile(question.value), `file ${question.value}`);
    case 'fileContainingSymbol':
      return toFiles(findFileOfSymbol(question.value), `symbol ${question.value}`);
    case 'fileContainingExtension': {
      const { containingType, extensionNumber } = question.value;
      return toFiles(
        findFileOfExtension(containingType, extensionNumber),
        `extension ${extensionNumber} of ${containingType}`,
      );
    }
    case 'allExtensionNumbersOfType':
      return toNumbers(question.value);
    default:
      return failure(status.INVALID_ARGUMENT, 'the request asks for nothing that is known');
  }
}

type ReflectionCall = ServerDuplexStream<ServerReflectionRequest, ServerReflectionResponse>;

function serveQuestions(call: ReflectionCall, services: readonly string[]): void {
  call.on('data', (request: ServerReflectionRequest) => {
    const messageResponse = answer(request.messageRequest, services);
    // Stops reading requests while the client does not read its answers.
    if (call.write({ validHost: request.host, originalRequest: request, messageResponse })) return;
    call.pause();
    call.once('drain', () => call.resume());
  });
  call.on('end', () => call.end());
  // Some cancelled calls end with an error event.
  call.on('error', () => undefined);
}

/**
 * Adds grpc.reflection.v1 and v1alpha, which are the same on the wire. They serve the real descriptors of the contract
 * with all imports, as strict clients demand, and list the given services, health and reflection itself.
 */
export function addReflection(server: Server, services: readonly string[]): void {
  const listed = [
    ...services,
    'grpc.health.v1.Health',
    'grpc.reflection.v1.ServerReflection',
    'grpc.reflection.v1alpha.ServerReflection',
  ];
  const serverReflectionInfo = (call: ReflectionCall): void => serveQuestions(call, listed);
  server.addService(ServerReflectionService, { serverReflectionInfo });
  server.addService(AlphaService, { serverReflectionInfo });
}
