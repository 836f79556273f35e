import { UsersService } from '#client/users';
import { argument, type Tool } from './tool.ts';

const { method } = UsersService;

export const peopleTools: readonly Tool[] = [
  {
    name: 'get_me',
    title: 'Who the person is',
    method: method.getMe,
    about:
      'Use it for the person that you work for: id, name, time zone (for dueDay and for what "today" means) and where ' +
      'notifications go.',
    arguments: [],
    summary: () => 'The profile of the person that you work for.',
  },
  {
    name: 'find_user',
    title: 'Find a person by e-mail',
    method: method.findUser,
    about:
      'Use it to find the id of somebody by their exact e-mail, for instance to assign a task. NOT_FOUND says only that ' +
      'the person may not find them: ask for another address, do not try variations.',
    arguments: [argument('email')],
    summary: () => 'The person with that e-mail.',
  },
];
