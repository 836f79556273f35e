import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Link, useLocation } from 'wouter';
import type { Project } from '#client/tasks';
import { api } from '../api.ts';
import { PageHead } from '../shell/page-head.tsx';
import { Button } from '../ui/button.tsx';
import { TextArea, TextField } from '../ui/field.tsx';
import { FormDialog } from '../ui/form-dialog.tsx';
import { Icon } from '../ui/icon.tsx';
import { Empty } from '../ui/notice.tsx';
import { Paged, usePaged } from '../ui/paged.tsx';
import { roleLabel } from './roles.ts';

/** A key from the first letters of the words, as people would make it; it can be changed. */
function suggestKey(name: string): string {
  const words = name.toUpperCase().match(/[A-Z0-9]+/g) ?? [];
  const short = words.length > 1 ? words.map((word) => word[0]).join('') : (words[0] ?? '');
  return short.replace(/^\d+/, '').slice(0, 5);
}

function NewProject({ onClose }: { onClose: () => void }) {
  const queryClient = useQueryClient();
  const [, navigate] = useLocation();
  const [name, setName] = useState('');
  const [key, setKey] = useState<string>();
  return (
    <FormDialog
      title="New project"
      verb="Create project"
      onClose={onClose}
      work={async (fields) => {
        const { project } = await api.projects.createProject({
          project: { name: fields('name'), key: fields('key'), description: fields('description') },
        });
        await queryClient.invalidateQueries({ queryKey: ['projects'] });
        if (project !== undefined) navigate(`/projects/${project.id}`);
      }}
    >
      <TextField
        label="Name"
        name="name"
        required
        maxLength={100}
        value={name}
        onChange={({ target }) => setName(target.value)}
      />
      <TextField
        label="Key"
        name="key"
        required
        value={key ?? suggestKey(name)}
        onChange={({ target }) => setKey(target.value.toUpperCase())}
        hint="A short name in capitals, such as WEB."
      />
      <TextArea label="Description" name="description" maxLength={2000} />
    </FormDialog>
  );
}

function Tile({ project: { id, key, name, description, color, memberCount, role, archiveTime } }: { project: Project }) {
  return (
    <Link href={`/projects/${id}`} className="tile">
      <span className="row spread">
        <span className="row">
          <span className="project-dot" style={{ background: color || 'var(--accent)' }} />
          <span className="small faint">{key}</span>
        </span>
        {archiveTime !== undefined && <span className="badge">Archived</span>}
      </span>
      <h2>{name}</h2>
      {description !== '' && <p className="soft small">{description}</p>}
      <span className="row small faint">
        <Icon name="team" size={15} /> {memberCount} {memberCount === 1 ? 'member' : 'members'} · your role:{' '}
        {roleLabel(role).toLowerCase()}
      </span>
    </Link>
  );
}

export function ProjectsPage() {
  const [creating, setCreating] = useState(false);
  const paged = usePaged<Project>({
    queryKey: ['projects', 'all'],
    fetchPage: async (pageToken, signal) => {
      const { projects, nextPageToken } = await api.projects.listProjects({ pageToken, showArchived: true }, { signal });
      return { items: projects, nextPageToken };
    },
  });
  const create = (
    <Button look="primary" icon="plus" onClick={() => setCreating(true)}>
      New project
    </Button>
  );
  return (
    <div className="page">
      <div className="page-inner wide">
        <PageHead title="Projects">{create}</PageHead>
        <Paged
          paged={paged}
          empty={
            <Empty icon="folder" title="No projects yet">
              <p>A project is a list that several people share. Make one, and invite them.</p>
              {create}
            </Empty>
          }
        >
          {(projects) => (
            <div className="cards">
              {projects.map((project) => (
                <Tile key={project.id} project={project} />
              ))}
            </div>
          )}
        </Paged>
      </div>
      {creating && <NewProject onClose={() => setCreating(false)} />}
    </div>
  );
}
