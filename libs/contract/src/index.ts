export { policies, policyOf, type MethodPolicy, type ServiceName, serviceNames } from './policy.ts';
export { findScope, toScopeMessage, tokenScopes, type ScopeMessage, type TokenScope } from './scopes.ts';
export { ownerOf, placesOf, type MethodPlace } from './method-places.ts';
export { descriptorOf, reasonsOf } from './method-reasons.ts';
export { retryLimits, serviceConfigFor } from './service-config.ts';
export { canonicalJson, type CanonicalJson } from './canonical-json.ts';
export {
  fieldOf,
  isOneofRequired,
  isOutputOnly,
  isRequired,
  itemsText,
  listLimitOf,
  textLimitOf,
  ruleOf,
  type FieldRule,
} from './field-rules.ts';
export { spanRangeText } from './span-text.ts';
export { fileDescriptors, fileRegistry } from './descriptors.ts';
import './strict-utf8.ts';
