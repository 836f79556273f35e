const browsers = [
  { name: 'Edge', sign: /Edg\// },
  { name: 'Opera', sign: /OPR\// },
  { name: 'Firefox', sign: /Firefox\// },
  { name: 'Chrome', sign: /Chrome\// },
  { name: 'Safari', sign: /Safari\// },
];

const systems = [
  { name: 'Android', sign: /Android/ },
  { name: 'iPhone', sign: /iPhone/ },
  { name: 'iPad', sign: /iPad/ },
  { name: 'Windows', sign: /Windows/ },
  { name: 'macOS', sign: /Mac OS X/ },
  { name: 'Linux', sign: /Linux/ },
];

/** What a person would call the program that a user agent names; programs name themselves. */
export function deviceOf(userAgent: string): string {
  const browser = browsers.find(({ sign }) => sign.test(userAgent))?.name;
  const system = systems.find(({ sign }) => sign.test(userAgent))?.name;
  if (browser === undefined) return userAgent.split(' ')[0] || 'Unknown program';
  return system === undefined ? browser : `${browser} on ${system}`;
}
