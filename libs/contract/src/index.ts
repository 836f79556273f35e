export { policies, policyOf, type Access, type MethodPolicy, type RateLimitPolicy, type Retry, type ServiceName, serviceNames } from './policy.ts';
export { reasonsOf, type MethodReasons } from './method-reasons.ts';
export { retryLimits, serviceConfigFor } from './service-config.ts';
export { fileDescriptors, fileRegistry, type FileDescriptor } from './descriptors.ts';
import './strict-utf8.ts';
