import { Option } from 'commander';
import { serviceNames, type ServiceName } from '#client/index';

/** What each service has for itself is asked of all of them, unless one is named. */
export interface AtOptions {
  at?: ServiceName;
}

export const atOption = (): Option => new Option('--at <service>', 'only of this service').choices([...serviceNames]);

export const servicesOf = ({ at }: AtOptions): readonly ServiceName[] => (at === undefined ? serviceNames : [at]);
