"""The gradebook files: categories, line items, results, score scales and their links.

Source: OneRoster 1.2 CSV Binding; 1.1 columns from the 1.1 binding.
"""

from __future__ import annotations

import polars as pl

from transforms.schemas.columns import (
    boolean,
    date,
    enum,
    integer,
    lifecycle,
    number,
    reference,
    text,
)
from transforms.schemas.entity import ONLY_1_1, SINCE_1_2, Column, Entity, RowRule, RuleContext
from transforms.schemas.vocabularies import OBJECTIVE_SOURCES, SCORE_STATUS

UUID_URN = r"^urn:uuid:[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"


def _score_range(_: RuleContext) -> pl.Expr:
    low, high = (
        pl.col(name).cast(pl.Float64, strict=False) for name in ("resultValueMin", "resultValueMax")
    )
    return low <= high


# The id of a learning objective from the source `case` is a UUID URN.
CASE_ID = RowRule(
    "case_id",
    "learningObjectiveId",
    lambda _: (pl.col("source") != "case") | pl.col("learningObjectiveId").str.contains(UUID_URN),
)

# Columns that line items and results share with assessment line items and results.
_RANGE = (number("resultValueMin", "Lowest score."), number("resultValueMax", "Highest score."))
_SCORE = (
    enum(
        "scoreStatus", SCORE_STATUS, "How far the grading has come.", required=True, extensible=True
    ),
    number("score", "Score, within the range of the line item."),
)
_SCORE_DATE = date("scoreDate", "Day on which it was scored.", required=True, moment="start")

CATEGORIES = Entity(
    "categories",
    "category",
    "gradebook",
    (
        *lifecycle("Id of the category."),
        text("title", "Name of the category.", required=True),
        integer("weight", "Share of the final grade, in percent.", versions=SINCE_1_2),
    ),
    "Kinds of graded work, such as homework.",
)

LINE_ITEMS = Entity(
    "lineItems",
    "lineItem",
    "gradebook",
    (
        *lifecycle("Id of the line item."),
        text("title", "Name of the work.", required=True),
        text("description", "What is to be done."),
        date("assignDate", "Day on which it is set.", required=True, moment="start"),
        date("dueDate", "Day on which it is due.", required=True, moment="end"),
        reference("classSourcedId", "classes", "The class that does it.", required=True),
        reference("categorySourcedId", "categories", "What kind of work it is.", required=True),
        reference("gradingPeriodSourcedId", "academicSessions", "1.1: the grading period.",
                  required=True,
                  versions=ONLY_1_1),
        reference("academicSessionSourcedId", "academicSessions", "The session in which it counts.",
                  required=True,
                  versions=SINCE_1_2),
        *_RANGE,
        reference("schoolSourcedId", "orgs", "The school of the class.", required=True,
                  types=("school",),
                  versions=SINCE_1_2),
    ),
    "Pieces of graded work.",
    rules=(RowRule("score_range", "resultValueMax", _score_range),),
)  # fmt: skip

RESULTS = Entity(
    "results",
    "result",
    "gradebook",
    (
        *lifecycle("Id of the result."),
        reference("lineItemSourcedId", "lineItems", "The work.", required=True),
        reference("studentSourcedId", "users", "The student.", required=True),
        *_SCORE,
        _SCORE_DATE,
        text("comment", "What the teacher says of it."),
        text("textScore", "Score as text, such as a letter.", versions=SINCE_1_2),
        reference("classSourcedId", "classes", "The class.", versions=SINCE_1_2),
        boolean("inProgress", "The student is still at it.", versions=SINCE_1_2),
        boolean("incomplete", "It was handed in incomplete.", versions=SINCE_1_2),
        boolean("late", "It was handed in late.", versions=SINCE_1_2),
        boolean("missing", "It was not handed in.", versions=SINCE_1_2),
    ),
    "What a student achieved in a piece of work.",
    label=("studentSourcedId", "lineItemSourcedId"),
)

SCORE_SCALES = Entity(
    "scoreScales",
    "scoreScale",
    "gradebook",
    (
        *lifecycle("Id of the scale."),
        text("title", "Name of the scale.", required=True),
        text("type", "What kind of scale it is.", required=True),
        reference("orgSourcedId", "orgs", "The organization that uses it.", required=True),
        reference("courseSourcedId", "courses", "The course that uses it.", required=True),
        reference("classSourcedId", "classes", "The class that uses it.", required=True),
        Column(
            "scoreScaleValue", "score_scale", "Its steps, as `{label:value}` items.", required=True
        ),
    ),
    "Scales by which scores are read.",
)

LINE_ITEM_OBJECTIVES = Entity(
    "lineItemLearningObjectiveIds",
    "learningObjectiveSet",
    "gradebook",
    (
        *lifecycle("Id of the link."),
        reference("lineItemSourcedId", "lineItems", "The work.", required=True),
        enum(
            "source",
            OBJECTIVE_SOURCES,
            "Where the objective is defined.",
            required=True,
            extensible=True,
        ),
        text("learningObjectiveId", "Id of the objective.", required=True),
    ),
    "Learning objectives of line items; carried as a part of their line item.",
    folds_into="lineItems",
    folds_as="learningObjectiveSet",
    label=("learningObjectiveId",),
    rules=(CASE_ID,),
)

LINE_ITEM_SCALES = Entity(
    "lineItemScoreScales",
    "scoreScale",
    "gradebook",
    (
        *lifecycle("Id of the link."),
        text("title", "Name of the link."),
        reference("lineItemSourcedId", "lineItems", "The work.", required=True),
        reference("scoreScaleSourcedId", "scoreScales", "The scale.", required=True),
    ),
    "Score scales of line items; carried as a part of their line item.",
    folds_into="lineItems",
    folds_as="scoreScale",
    single=True,
)

RESULT_OBJECTIVES = Entity(
    "resultLearningObjectiveIds",
    "learningObjectiveSet",
    "gradebook",
    (
        *lifecycle("Id of the link."),
        reference("resultSourcedId", "results", "The result.", required=True),
        enum(
            "source",
            OBJECTIVE_SOURCES,
            "Where the objective is defined.",
            required=True,
            extensible=True,
        ),
        text("learningObjectiveId", "Id of the objective.", required=True),
        number("score", "Score for the objective."),
        text("textScore", "Score for the objective, as text."),
    ),
    "Learning objectives of results; carried as a part of their result.",
    folds_into="results",
    folds_as="learningObjectiveSet",
    label=("learningObjectiveId",),
    rules=(CASE_ID,),
)

RESULT_SCALES = Entity(
    "resultScoreScales",
    "scoreScale",
    "gradebook",
    (
        *lifecycle("Id of the link."),
        text("title", "Name of the link."),
        reference("resultSourcedId", "results", "The result.", required=True),
        reference("scoreScaleSourcedId", "scoreScales", "The scale.", required=True),
    ),
    "Score scales of results; carried as a part of their result.",
    folds_into="results",
    folds_as="scoreScale",
    single=True,
)

ASSESSMENT_LINE_ITEMS = Entity(
    "assessmentLineItems",
    "assessmentLineItem",
    "gradebook",
    (
        *lifecycle("Id of the assessment line item."),
        text("title", "Name of the assessed work.", required=True),
        text("description", "What is to be done."),
        reference("classSourcedId", "classes", "The class that does it."),
        reference("courseSourcedId", "courses", "The course to which it belongs."),
        reference("courseComponentSourcedId", "courseComponents",
                  "The component to which it belongs.", json="component"),
        reference("componentResourceSourcedId", "componentResources",
                  "The place in a component that it assesses."),
        reference("parentSourcedId", "assessmentLineItems", "The line item of which it is a part.",
                  json="parentAssessmentLineItem"),
        *_RANGE,
    ),
    "Assessed work of courses, in a tree; "
    "a file of our own, since the standard has it in REST only.",
    rules=(RowRule("score_range", "resultValueMax", _score_range),),
    standard=False,
)  # fmt: skip

ASSESSMENT_RESULTS = Entity(
    "assessmentResults",
    "assessmentResult",
    "gradebook",
    (
        *lifecycle("Id of the assessment result."),
        reference(
            "assessmentLineItemSourcedId",
            "assessmentLineItems",
            "The assessed work.",
            required=True,
        ),
        reference("studentSourcedId", "users", "The student.", required=True),
        *_SCORE,
        text("textScore", "Score as text, such as a letter."),
        _SCORE_DATE,
        text("comment", "What is said of it."),
    ),
    "What a student achieved in assessed work; a file of our own.",
    label=("studentSourcedId", "assessmentLineItemSourcedId"),
    standard=False,
)
