import { estimate, flag, orNull, real, text, whole } from '../description.js';
import { cellColumns } from './cells.js';
import { NAMED, NAMES, PAIRS, wilson } from './fragments.js';
import type { SqlParts } from './parts.js';
import type { View } from './view.js';

/** Predictions of cells, and what fp32 gave the same images beside them. */
const answers = ({ answersOf }: SqlParts): string => `round_pairs as materialized (
    select p.cell_id, mine.id as round_id, theirs.id as fp32_round_id
    from pairs p join rounds mine on mine.cell_id = p.cell_id join rounds theirs on theirs.cell_id = p.fp32_cell_id
  ),
  both_answers as (${answersOf('round_pairs')})`;

/** How well variants classify: `accuracyOf` of `analysis/` in SQL. */
export const accuracyView: View = {
  name: 'v_accuracy',
  question: 'How accurate is each variant, and how often does it agree with fp32?',
  note: "Finished cells of kind `accuracy`. Intervals are Wilson's. `lost` and `gained` are all that McNemar's exact test needs.",
  columns: {
    ...cellColumns,
    images: whole('Test images classified.'),
    scored: flag('Whether it has an accuracy: not with random weights, nor for other classes.'),
    correct: orNull(whole('Correct predictions; null if not scored.')),
    ...estimate('top1', 'Share of correct predictions; null if not scored.'),
    ...estimate(
      'same_class',
      'Share of images with the same class as fp32; null for fp32, and if it classified other images.',
    ),
    lost: orNull(whole('Images only fp32 classifies correctly; null as `same_class`, and if not scored.')),
    gained: orNull(whole('Images only this variant classifies correctly; null likewise.')),
    mean_cosine: orNull(
      real("Mean cosine of its embeddings and fp32's; null for models with a head, and for fp32."),
    ),
    least_cosine: orNull(real('Smallest of these cosines; null likewise.')),
    test_set_s: real('Total time in the model for all images.', 's'),
  },
  sql: (parts) => {
    const { textIn } = parts;
    const own = wilson('s.correct', 's.images');
    const same = wilson('t.same', 't.images');
    return `with ${PAIRS}, ${answers(parts)},
    scores as materialized (
      select r.cell_id, count(*) as images, sum(case when p.predicted = p.label then 1 else 0 end) as correct
      from predictions p join rounds r on r.id = p.round_id group by r.cell_id
    ),
    together as materialized (
      select cell_id, count(*) as images, sum(case when predicted = fp32_predicted then 1 else 0 end) as same,
        sum(case when fp32_predicted = label and predicted <> label then 1 else 0 end) as lost,
        sum(case when predicted = label and fp32_predicted <> label then 1 else 0 end) as gained
      from both_answers group by cell_id
    ),
    alike as materialized (
      select t.cell_id, t.images, t.same, t.lost, t.gained
      from together t join pairs p on p.cell_id = t.cell_id
      join scores a on a.cell_id = p.cell_id and a.images = t.images
      join scores b on b.cell_id = p.fp32_cell_id and b.images = t.images
    ),
    cosine as materialized (
      select r.cell_id, avg(x.cosine) as mean, min(x.cosine) as least
      from cosines x join rounds r on r.id = x.round_id group by r.cell_id
    ),
    spent as materialized (
      select r.cell_id, sum(x.milliseconds) / 1000.0 as seconds
      from samples x join rounds r on r.id = x.round_id join cells c on c.id = r.cell_id
      where c.kind = 'accuracy' group by r.cell_id
    ),
    trained as (
      select v.id,
        case
          when v.synthetic <> 0 then 0
          when v.features_json is not null then 1
          when ${textIn('v.model_json', 'classes')} is not null or ${textIn('v.model_json', 'fittedHead')} is not null then 1
          when ${textIn('v.card_json', 'dataset')} is null then 1
          when ${textIn('v.card_json', 'dataset')} = ${textIn('r.data_json', 'name')} then 1
          else 0
        end as scored
      from variants v join runs r on r.id = v.run_id
    )
    select ${NAMES}, s.images, y.scored,
      case when y.scored = 1 then s.correct end as correct,
      case when y.scored = 1 then s.correct / cast(s.images as double precision) end as top1,
      case when y.scored = 1 then ${own.low} end as top1_low,
      case when y.scored = 1 then ${own.high} end as top1_high,
      t.same / cast(t.images as double precision) as same_class,
      ${same.low} as same_class_low, ${same.high} as same_class_high,
      case when y.scored = 1 then t.lost end as lost, case when y.scored = 1 then t.gained end as gained,
      x.mean as mean_cosine, x.least as least_cosine, coalesce(z.seconds, 0) as test_set_s
    from scores s
    join cells c on c.id = s.cell_id ${NAMED}
    join trained y on y.id = v.id
    left join alike t on t.cell_id = s.cell_id
    left join cosine x on x.cell_id = s.cell_id
    left join spent z on z.cell_id = s.cell_id
    where c.kind = 'accuracy' and c.status = 'done'`;
  },
};

/** Images whose answer changed. */
export const changedAnswersView: View = {
  name: 'v_changed_answers',
  question: "Which predictions differ from fp32's?",
  columns: {
    ...cellColumns,
    image: whole('Index in the test set.'),
    label: whole("True class, an index into the run's class names."),
    fp32_predicted: whole('Prediction of fp32.'),
    predicted: whole('Prediction of the variant.'),
    change: text('`lost`: only fp32 is correct. `gained`: only the variant is. `other`: neither.'),
  },
  sql: (parts) => `with ${PAIRS}, ${answers(parts)}
  select ${NAMES}, a.image, a.label, a.fp32_predicted, a.predicted,
    case when a.fp32_predicted = a.label then 'lost' when a.predicted = a.label then 'gained' else 'other' end as change
  from both_answers a join cells c on c.id = a.cell_id ${NAMED}
  where a.predicted <> a.fp32_predicted`,
};

/** Which classes are taken for which. */
export const confusionView: View = {
  name: 'v_confusion',
  question: 'Which classes does each variant confuse?',
  columns: {
    ...cellColumns,
    label: whole("True class, an index into the run's class names."),
    predicted: whole('Predicted class, an index likewise.'),
    images: whole('Number of test images.'),
  },
  sql: () => `select ${NAMES}, p.label, p.predicted, count(*) as images
    from predictions p join rounds r on r.id = p.round_id join cells c on c.id = r.cell_id ${NAMED}
    group by c.run_id, c.id, d.name, v.model, v.recipe, p.label, p.predicted`,
};
