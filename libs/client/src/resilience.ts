export * from './gen/taskflow/resilience/v1/resilience_pb.js';
