import django.db.models.deletion
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('engine', '0003_layer_origin'),
    ]

    operations = [
        migrations.CreateModel(
            name='Benchmark',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=120)),
                ('digest', models.CharField(help_text='Of the truths, as evaluation.score prints it.', max_length=64)),
                ('bounds', models.JSONField(default=dict, help_text='Board to evaluation.metrics.hpa.Bounds; fixed, versioned.')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('project', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='benchmarks', to='engine.project')),
            ],
            options={
                'ordering': ['name'],
            },
        ),
        migrations.CreateModel(
            name='EvaluationRun',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('protocol', models.JSONField(default=dict)),
                ('networks', models.JSONField(default=dict, help_text="Each metric's network with its weights digest.")),
                ('networks_digest', models.CharField(help_text='Runs of other networks are never on one board.', max_length=64)),
                ('is_offline', models.BooleanField(help_text='Scored with the named offline networks instead of the published ones.')),
                ('code_revision', models.CharField(max_length=60)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('benchmark', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='runs', to='evaluation.benchmark')),
                ('producer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='evaluation_runs', to='engine.producer')),
            ],
            options={
                'ordering': ['-created_at', '-id'],
            },
        ),
        migrations.CreateModel(
            name='MetricScore',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('board', models.CharField(choices=[('foreground', 'foreground'), ('background', 'background')], max_length=12)),
                ('metric', models.CharField(max_length=40)),
                ('dimension', models.CharField(blank=True, help_text='Of a slice; empty for the whole board.', max_length=40)),
                ('slice', models.CharField(blank=True, max_length=120)),
                ('value', models.FloatField(null=True)),
                ('low', models.FloatField(null=True)),
                ('high', models.FloatField(null=True)),
                ('n', models.PositiveIntegerField()),
                ('reason', models.CharField(blank=True, max_length=300)),
                ('choices', models.JSONField(default=dict)),
                ('layer', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='metric_scores', to='engine.layer')),
                ('run', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='scores', to='evaluation.evaluationrun')),
            ],
            options={
                'ordering': ['run', 'board', 'dimension', 'slice', 'metric', 'id'],
            },
        ),
        migrations.CreateModel(
            name='Refit',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('board', models.CharField(choices=[('foreground', 'foreground'), ('background', 'background')], max_length=12)),
                ('votes', models.PositiveIntegerField(help_text='That counted when it was made.')),
                ('fitted_votes', models.PositiveIntegerField(help_text='Without those of flagged voters and unlinked producers.')),
                ('changed_at', models.DateTimeField(help_text='The last change of a vote that this fit knows of.')),
                ('problem', models.CharField(blank=True, max_length=20)),
                ('tie', models.FloatField(help_text="Davidson's nu.", null=True)),
                ('flips', models.PositiveIntegerField(help_text='So many dropped votes change the first place.', null=True)),
                ('bias', models.JSONField(default=dict, help_text='evaluation.rating_bias.Bias of the side and the edit probes.')),
                ('gaps', models.JSONField(default=list, help_text='Variance in logits between neighbours: [[better, worse, v], ...].')),
                ('excluded', models.JSONField(default=list, help_text='Flagged voters: [{annotator, habit, evidence, votes}, ...].')),
                ('wins', models.JSONField(default=dict, help_text='{producers, won, votes}: matrices, the row against the column.')),
                ('seconds', models.FloatField()),
                ('made_at', models.DateTimeField(auto_now_add=True)),
                ('project', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='refits', to='engine.project')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='Rating',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('votes', models.PositiveIntegerField()),
                ('rating', models.FloatField(null=True)),
                ('ci_low', models.FloatField(help_text='95 %, resampling photos.', null=True)),
                ('ci_high', models.FloatField(null=True)),
                ('people_low', models.FloatField(help_text='95 %, resampling annotators.', null=True)),
                ('people_high', models.FloatField(null=True)),
                ('rank_low', models.PositiveSmallIntegerField(null=True)),
                ('rank_high', models.PositiveSmallIntegerField(null=True)),
                ('reweighted', models.FloatField(help_text='Rating with votes weighted by inverse propensity, as a check.', null=True)),
                ('online_elo', models.FloatField(help_text='Mean of classic Elo over shuffles: the figure papers show.', null=True)),
                ('online_low', models.FloatField(help_text='Range over orders of the votes; no confidence interval.', null=True)),
                ('online_high', models.FloatField(null=True)),
                ('producer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='ratings', to='engine.producer')),
                ('refit', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='ratings', to='evaluation.refit')),
            ],
            options={
                'ordering': ['refit', models.OrderBy(models.F('rating'), descending=True, nulls_last=True), 'producer'],
            },
        ),
        migrations.CreateModel(
            name='Calibration',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('board', models.CharField(choices=[('foreground', 'foreground'), ('background', 'background')], max_length=12)),
                ('version', models.PositiveIntegerField()),
                ('bounds_version', models.CharField(max_length=120)),
                ('networks_digest', models.CharField(max_length=64)),
                ('weights', models.JSONField(help_text='Axis to {value, low, high}.')),
                ('slope', models.FloatField(help_text='Elo for one of HPA.')),
                ('intercept', models.FloatField()),
                ('rows', models.JSONField()),
                ('points', models.JSONField(help_text='[{producer, rating, ci_low, ci_high, axes, hpa}, ...]')),
                ('drift', models.JSONField(default=list, help_text='[{dimension, slice, axis, pearson, producers}, ...]')),
                ('foretelling', models.JSONField(help_text='Metric difference to chance of a vote; empty without data.', null=True)),
                ('producers', models.PositiveSmallIntegerField()),
                ('is_enough', models.BooleanField(help_text='At least 8 producers; with fewer nothing is claimed of the weights.')),
                ('condition', models.FloatField(null=True)),
                ('is_chosen', models.BooleanField(default=False)),
                ('made_at', models.DateTimeField(auto_now_add=True)),
                ('benchmark', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='calibrations', to='evaluation.benchmark')),
                ('refit', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='calibrations', to='evaluation.refit')),
            ],
            options={
                'ordering': ['-version'],
            },
        ),
        migrations.AddConstraint(
            model_name='benchmark',
            constraint=models.UniqueConstraint(fields=('project', 'name'), name='one_benchmark_per_project_and_name'),
        ),
        migrations.AddIndex(
            model_name='evaluationrun',
            index=models.Index(fields=['benchmark', 'producer', '-created_at'], name='evaluation__benchma_8f5f7c_idx'),
        ),
        migrations.AddConstraint(
            model_name='metricscore',
            constraint=models.UniqueConstraint(fields=('run', 'board', 'metric', 'dimension', 'slice', 'layer'), name='one_score_per_run_and_thing', nulls_distinct=False),
        ),
        migrations.AddConstraint(
            model_name='metricscore',
            constraint=models.CheckConstraint(condition=models.Q(('value__isnull', False), models.Q(('reason', ''), _negated=True), _connector='OR'), name='undefined_score_says_why'),
        ),
        migrations.AddIndex(
            model_name='refit',
            index=models.Index(fields=['project', 'board', '-id'], name='evaluation__project_5b85bf_idx'),
        ),
        migrations.AddConstraint(
            model_name='rating',
            constraint=models.UniqueConstraint(fields=('refit', 'producer'), name='one_rating_per_refit_and_producer'),
        ),
        migrations.AddConstraint(
            model_name='rating',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('ci_high', None), ('ci_low', None), ('rank_high', None), ('rank_low', None), ('rating', None)), models.Q(('ci_high__isnull', False), ('ci_low__isnull', False), ('rank_low__gte', 1), ('rating__isnull', False)), _connector='OR'), name='rating_comes_with_its_interval'),
        ),
        migrations.AddConstraint(
            model_name='calibration',
            constraint=models.UniqueConstraint(fields=('benchmark', 'board', 'version'), name='one_calibration_per_version'),
        ),
        migrations.AddConstraint(
            model_name='calibration',
            constraint=models.UniqueConstraint(condition=models.Q(('is_chosen', True)), fields=('benchmark', 'board'), name='one_chosen_calibration_per_board'),
        ),
    ]
