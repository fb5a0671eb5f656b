import { FIELD_NAMES, type Field, findField } from '../filter/fields.ts';
import { suggestField } from '../filter/suggestion.ts';
import { EXIT, UserError } from '../model/errors.ts';

/** The fields of `--by`. Throws UserError for names that are no fields, or none to group by. */
export function groupFields(names: readonly string[]): readonly Field[] {
  return names.map((name) => {
    const field = findField(name);
    if (field === undefined) {
      const meant = suggestField(name, FIELD_NAMES);
      throw usage(
        `--by: there is no field ${name}`,
        meant === undefined
          ? 'wirelens fields lists them'
          : `did you mean ${meant}? wirelens fields lists all`,
      );
    }
    if (!field.groupable)
      throw usage(
        `--by: ${name} has too many values to group by`,
        'give a field such as route, host or status',
      );
    return field;
  });
}

function usage(message: string, hint: string): UserError {
  return new UserError('usage', message, { hint, exitCode: EXIT.usage });
}
