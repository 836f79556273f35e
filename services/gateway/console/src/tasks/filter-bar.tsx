import type { Ref } from 'react';
import { useLabels } from '../live/use-tasks.ts';
import { Button } from '../ui/button.tsx';
import { Segmented } from '../ui/field.tsx';
import { Icon } from '../ui/icon.tsx';
import { Menu, type MenuEntry } from '../ui/menu.tsx';
import { countActive, type DueFilter, type Filters, type Sorting, type WhoFilter } from './filters.ts';
import { PrioritySign } from './signs.tsx';
import { priorities } from './words.ts';

const dueWords: Readonly<Record<DueFilter, string>> = {
  any: 'Any due date',
  overdue: 'Overdue',
  today: 'Due today',
  week: 'Due in 7 days',
  none: 'No due date',
};

const whoWords: Readonly<Record<WhoFilter, string>> = {
  anybody: 'Anybody',
  me: 'Mine to do',
  others: 'Assigned to others',
  nobody: 'Not assigned',
};

const sortWords: Readonly<Record<Sorting, string>> = {
  due: 'Due date',
  priority: 'Priority',
  created: 'Newest first',
  updated: 'Last changed',
  title: 'Title',
};

interface BarProps {
  filters: Filters;
  onChange: (change: Partial<Filters>) => void;
}

const flip = <T,>(list: readonly T[], item: T): T[] =>
  list.includes(item) ? list.filter((each) => each !== item) : [...list, item];

function chooseOf<T extends string>(words: Readonly<Record<T, string>>, chosen: T, onChoose: (value: T) => void) {
  return (Object.keys(words) as T[]).map(
    (value): MenuEntry => ({ label: words[value], checked: value === chosen, onChoose: () => onChoose(value) }),
  );
}

function FilterMenu({ filters, onChange }: BarProps) {
  const labels = [...new Set([...filters.labels, ...useLabels()])].slice(0, 30);
  const active = countActive(filters);
  return (
    <Menu
      trigger={
        <Button icon="filter" compact>
          <span className="if-wide">Filter</span> {active > 0 && <span className="badge accent">{active}</span>}
        </Button>
      }
      groups={[
        { title: 'Due', entries: chooseOf(dueWords, filters.due, (due) => onChange({ due })) },
        { title: 'Who', entries: chooseOf(whoWords, filters.who, (who) => onChange({ who })) },
        {
          title: 'Priority',
          entries: priorities.map(({ value, label }) => ({
            label,
            sign: <PrioritySign priority={value} />,
            checked: filters.priorities.includes(value),
            stays: true,
            onChoose: () => onChange({ priorities: flip(filters.priorities, value) }),
          })),
        },
        {
          title: 'Labels',
          entries: labels.map((label) => ({
            label,
            checked: filters.labels.includes(label),
            stays: true,
            onChoose: () => onChange({ labels: flip(filters.labels, label) }),
          })),
        },
      ]}
    />
  );
}

/** What is left out, each with a cross. */
function ActiveFilters({ filters, onChange }: BarProps) {
  const active = [
    ...(filters.due === 'any' ? [] : [{ text: dueWords[filters.due], change: { due: 'any' as const } }]),
    ...(filters.who === 'anybody' ? [] : [{ text: whoWords[filters.who], change: { who: 'anybody' as const } }]),
    ...priorities
      .filter(({ value }) => filters.priorities.includes(value))
      .map(({ value, label }) => ({ text: label, change: { priorities: flip(filters.priorities, value) } })),
    ...filters.labels.map((label) => ({ text: `#${label}`, change: { labels: flip(filters.labels, label) } })),
  ];
  if (active.length === 0) return null;
  return (
    <div className="row filter-chips">
      {active.map(({ text, change }) => (
        <button key={text} type="button" className="chip" onClick={() => onChange(change)}>
          {text} <Icon name="close" size={12} />
          <span className="visually-hidden">, remove this filter</span>
        </button>
      ))}
    </div>
  );
}

interface FilterBarProps extends BarProps {
  searchRef: Ref<HTMLInputElement>;
  /** A board has its statuses beside each other, and its own order. */
  isBoard: boolean;
}

export function FilterBar({ filters, onChange, searchRef, isBoard }: FilterBarProps) {
  return (
    <>
      <div className="filter-bar" role="search">
        <label className="search">
          <Icon name="search" size={16} />
          <span className="visually-hidden">Search tasks</span>
          <input
            ref={searchRef}
            type="search"
            value={filters.text}
            placeholder="Search"
            onChange={({ target }) => onChange({ text: target.value })}
          />
        </label>
        {!isBoard && (
          <Segmented
            label="Status"
            choices={[
              { value: 'open', label: 'Open' },
              { value: 'done', label: 'Closed' },
              { value: 'all', label: 'All' },
            ]}
            value={filters.status}
            onChoose={(status) => onChange({ status })}
          />
        )}
        <FilterMenu filters={filters} onChange={onChange} />
        <Menu
          align="end"
          trigger={
            <Button look="quiet" compact>
              {sortWords[filters.sort]} <Icon name="down" size={14} />
              <span className="visually-hidden">: order of the tasks</span>
            </Button>
          }
          groups={[{ title: 'Order', entries: chooseOf(sortWords, filters.sort, (sort) => onChange({ sort })) }]}
        />
      </div>
      <ActiveFilters filters={filters} onChange={onChange} />
    </>
  );
}
