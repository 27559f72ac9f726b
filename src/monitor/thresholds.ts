/** The proposed thresholds as a change of `mlops.yaml`, or as lines to put into one that does not exist yet. */
import type { Context } from '../core/context.ts'
import { failed } from '../core/errors.ts'
import type { Project } from '../project/config.ts'
import { applyConfigEdit, type ConfigEdit, planConfigEdit } from '../project/edit-config.ts'
import { type Edit, editYaml } from '../project/edit-yaml.ts'
import { lineChanges } from '../project/line-changes.ts'
import type { Calibration, ConfigChange } from './calibration.ts'

/** A change that can be shown; `edit` is what puts it into effect, absent without a mlops.yaml of this store. */
export interface ThresholdChange {
  readonly change: ConfigChange
  readonly edit?: ConfigEdit
}

/** Nothing is written. @throws as `planConfigEdit` */
export async function planThresholds(
  ctx: Context,
  project: Project,
  calibration: Calibration,
): Promise<ThresholdChange> {
  const edits = editsOf(calibration)
  const file = project.coversStore === false ? undefined : project.file
  if (file === undefined) {
    return { change: { file: null, lines: lineChanges('', await editYaml('', edits)).filter(isPut), written: false } }
  }
  const edit = await planConfigEdit(file, edits, ctx.cwd)
  return { change: { file: edit.file, lines: edit.lines, written: false }, edit }
}

/** @throws as `applyConfigEdit`; failed `CONFIG_NOT_FOUND` without a file to write to */
export async function applyThresholds({ change, edit }: ThresholdChange): Promise<ConfigChange> {
  if (change.lines.length === 0) return change
  if (edit === undefined) {
    throw failed({
      code: 'CONFIG_NOT_WRITABLE',
      message: 'There is no mlops.yaml here that belongs to the store: the thresholds have no place to be written to.',
      hint: 'Make one: mlops init; or run the command in the folder of the project',
    })
  }
  await applyConfigEdit(edit)
  return { ...change, written: true }
}

const isPut = ({ mark, text }: { mark: string; text: string }): boolean => mark === '+' && text !== ''

function editsOf({ model, proposal, threshold }: Calibration): Edit[] {
  if (proposal === null || !proposal.isChanged) return []
  const drift = ['models', model, 'drift']
  const base = proposal.threshold === threshold ? [] : [{ path: [...drift, 'threshold'], value: proposal.threshold }]
  const columns = Object.entries(proposal.columns).map(([column, value]) => ({
    path: [...drift, 'columns', column, 'threshold'],
    value,
    inline: true,
  }))
  return [...base, ...columns]
}
