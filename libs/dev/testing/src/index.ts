export { listClockChanges, listTransitions, offsetOf, type ClockChange } from './clock-changes.ts';
export {
  makeConfig,
  makeServiceKeys,
  nobody,
  prepareTestService,
  type TestService,
  type TestUser,
} from './test-service.ts';
export { startOtlpReceiver, type OtlpReceiver, type ReceivedSpan } from './otlp-receiver.ts';
export { invalidFields, kindAndReason, refusal, refused } from './refusals.ts';
export { exportFrom, listTables, readExport, tablesOf, type ReadExport } from './read-export.ts';
export { readPages } from './read-pages.ts';
export { queryOnce } from './query-once.ts';
export { answering, startReceiver, verify, type Receiver } from './webhook-receiver.ts';
export {
  startMailServer,
  type MailServerBehaviour,
  type ReceivedMail,
  type TestMailServer,
  type TestMailServerOptions,
} from './smtp-server.ts';
export { makeSelfSigned, type SelfSigned } from './self-signed.ts';
