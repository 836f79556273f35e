export {
  AppError,
  invalidFields,
  answerRemoved,
  requestIdReused,
  toAppError,
  type ErrorDetails,
  type FieldViolation,
} from './app-error.ts';
export { errorTable, kindOfCode, type ErrorKind } from './error-table.ts';
export { errorDomain, reasons, type ErrorReason } from './reasons.ts';
export { fieldTypes, flattenOneofs, parseRequest } from './request-fields.ts';
export { changedFields, isMaskOf, isWholeMask, maskRule, schemaPerFields, updateMaskType } from './update-mask.ts';
export { findTimeZone, maxTimeZoneCharacters } from './time-zone.ts';
