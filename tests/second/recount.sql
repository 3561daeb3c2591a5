-- 契約 §2 の数え直し。表（resident、tax、prior、account、protected、terms、quick）は、CSV の文字のまま入っている。
-- 判定の式を一つも分け合わず、結合と GROUP BY だけで、世帯・児童・納税者の行を作る。

-- 生年月日の 00 は不詳: 取りうる一番早い日と遅い日。
CREATE TABLE person AS
SELECT 住民番号 AS person, 世帯番号 AS household, 続柄 = '世帯主' AS head, 住民となった日 AS became_on,
       住民となった事由 AS reason, 消除日 AS removed_on,
       CASE 消除事由 WHEN '死亡' THEN NULLIF(消除日, '') END AS died_here,
       substr(生年月日, 1, 5) || replace(substr(生年月日, 6, 2), '00', '01') || '-'
           || CASE substr(生年月日, 9) WHEN '00' THEN '01' ELSE substr(生年月日, 9) END AS birth_first,
       CASE substr(生年月日, 9)
           WHEN '00' THEN date(substr(生年月日, 1, 5) || replace(substr(生年月日, 6, 2), '00', '12') || '-01', '+1 month', '-1 day')
           ELSE substr(生年月日, 1, 5) || replace(substr(生年月日, 6, 2), '00', '12') || '-' || substr(生年月日, 9)
       END AS birth_last
FROM resident;
CREATE UNIQUE INDEX person_number ON person (person);

CREATE TABLE levy AS
SELECT 宛名番号 AS person, 賦課区分 AS kind, 申告区分 AS declaration, CAST(均等割額 AS INTEGER) AS per_capita,
       CAST(減税前所得割額_区 AS INTEGER) + CAST(減税前所得割額_都 AS INTEGER) AS rt,
       CAST(合計所得金額 AS INTEGER) AS income,
       MAX(0, CAST(課税総所得金額 AS INTEGER) - CAST(人的控除差額 AS INTEGER)) / 1000 * 1000 AS base,
       CAST(分離課税所得税額 AS INTEGER) AS separate, CAST(住宅ローン控除可能額 AS INTEGER) AS loan,
       CAST(住宅ローン控除額_住民税 AS INTEGER) AS loan_used,
       CAST(NULLIF(確定申告所得税額, '') AS INTEGER) AS filed, CAST(NULLIF(推計所得税額, '') AS INTEGER) AS estimated,
       (同一生計配偶者 = '1' AND 配偶者国外居住 = '0') AS spouse_sho, (控除対象配偶者 = '1' AND 配偶者国外居住 = '0') AS spouse_ju,
       扶養親族数_16歳以上 + 扶養親族数_16歳未満 - 国外居住扶養親族数 AS dependants,
       租税条約免除 = '1' AS treaty, 条例減免 = '全部' AS relieved, 扶養者宛名番号 AS supporter,
       NULLIF(死亡日, '') AS died_on
FROM tax;
CREATE UNIQUE INDEX levy_number ON levy (person);

-- 課税区分: 上から見て、最初に当たったもの。
CREATE TABLE class AS
SELECT everyone.person,
       CASE
           WHEN levy.treaty THEN 'X'
           WHEN levy.rt > 0 AND NOT relieved THEN '2'
           WHEN levy.per_capita > 0 AND NOT relieved THEN '1'
           WHEN levy.declaration = '未申告' THEN 'U'
           WHEN levy.person IS NOT NULL THEN '0'
           WHEN person.birth_first >= terms.under_16 THEN '0'
           WHEN person.became_on < terms.entered THEN 'U'
           WHEN person.reason = '出生' THEN '0'
           WHEN person.reason = '国外転入' THEN 'N'
           ELSE 'Q'
       END AS class
FROM (SELECT person FROM person UNION SELECT person FROM levy) AS everyone
LEFT JOIN person USING (person) LEFT JOIN levy USING (person) CROSS JOIN terms;
CREATE UNIQUE INDEX class_number ON class (person);

-- 基準日の世帯員。
CREATE TABLE member AS
SELECT person.*, class.class, levy.supporter <> '' AS supported, supporter.class AS supporter_class,
       COALESCE(person.died_here <= terms.today, 0) OR COALESCE(levy.died_on <= terms.today, 0) AS dead
FROM person JOIN class USING (person) LEFT JOIN levy USING (person)
LEFT JOIN class AS supporter ON supporter.person = levy.supporter CROSS JOIN terms
WHERE person.became_on <= terms.base AND (person.removed_on = '' OR person.removed_on > terms.base);
CREATE UNIQUE INDEX member_number ON member (person);
CREATE INDEX member_household ON member (household);

-- 昨年度: 状態が対象外でない行だけ。人で突き合わせる。
CREATE TABLE last_year AS
SELECT prior.給付名 AS benefit, prior.世帯番号 AS household, prior.住民番号 AS person, prior.続柄 = '世帯主' AS head,
       member.household AS now_in
FROM prior LEFT JOIN member ON member.person = prior.住民番号
WHERE prior.状態 <> '対象外';
CREATE TABLE hit AS
SELECT now_in AS household, MAX(household = now_in) AS p1, MAX(head) AS p2, 0 AS p3
FROM last_year WHERE now_in IS NOT NULL GROUP BY now_in
UNION ALL
SELECT MAX(now_in), 0, 0, 1 FROM last_year GROUP BY benefit, household
HAVING SUM(head) > 0 AND SUM(head AND now_in IS NOT NULL) = 0 AND COUNT(DISTINCT now_in) = 1;
CREATE TABLE prior_hit AS SELECT household, MAX(p1 OR p2 OR p3) AS excluded FROM hit GROUP BY household;
CREATE UNIQUE INDEX prior_hit_household ON prior_hit (household);

CREATE TABLE home AS
SELECT household, SUM(head) = 1 AS one_head,
       CASE WHEN SUM(head) = 1 THEN MAX(CASE WHEN head THEN person END) END AS payee,
       SUM(head AND dead) > 0 AS head_dead, SUM(NOT dead) > 0 AS anyone_lives,
       SUM(head AND class = 'N') > 0 AS head_entered,
       SUM(birth_first < under_16) AS adults, SUM(birth_first < under_16 AND class = 'N') AS adults_entered,
       SUM(class = '2') > 0 AS taxed, SUM(class = 'X') > 0 AS treaty, SUM(class = 'N') > 0 AS entered,
       SUM(class = 'Q') > 0 AS asked, SUM(class = 'U') > 0 AS undeclared, SUM(class <> '0') = 0 AS untaxed,
       SUM(NOT COALESCE(supported, 0)) = 0 AS all_supported,
       SUM(COALESCE(supporter_class IN ('1', '2'), 0)) = COUNT(*) AS all_by_taxed,
       SUM(COALESCE(supporter_class IN ('0', 'X', 'N'), 0)) > 0 AS any_by_free
FROM member CROSS JOIN terms GROUP BY household;

-- 検査ごとに: 1 非該当、0 該当、NULL 不明。
CREATE TABLE home_checks AS
SELECT home.*,
       CASE WHEN one_head THEN 0 END AS c_head,
       CASE WHEN NOT (one_head AND head_dead) THEN 0 WHEN anyone_lives THEN NULL ELSE 1 END AS c_payee,
       taxed AS c_tax, treaty AS c_treaty,
       CASE WHEN (one_head AND head_entered) OR (adults > 0 AND adults = adults_entered) THEN 1
            WHEN entered THEN NULL ELSE 0 END AS c_entrant,
       CASE WHEN NOT asked THEN 0 END AS c_inquiry,
       CASE WHEN NOT undeclared THEN 0 END AS c_declared,
       CASE WHEN prior_hit.household IS NULL THEN 0 WHEN excluded THEN 1 END AS c_prior,
       CASE WHEN NOT all_supported THEN 0 WHEN all_by_taxed THEN 1 WHEN any_by_free THEN 0 END AS c_dependants
FROM home LEFT JOIN prior_hit USING (household);

CREATE TABLE home_said AS
SELECT household, payee, untaxed,
       substr(CASE c_payee WHEN 1 THEN ';PAYEE' ELSE '' END || CASE c_tax WHEN 1 THEN ';TAX' ELSE '' END
           || CASE c_treaty WHEN 1 THEN ';TREATY' ELSE '' END || CASE c_entrant WHEN 1 THEN ';ENTRANT' ELSE '' END
           || CASE c_prior WHEN 1 THEN ';PRIOR' ELSE '' END || CASE c_dependants WHEN 1 THEN ';DEPENDANTS' ELSE '' END,
           2) AS unmet,
       substr(CASE WHEN c_head IS NULL THEN ';HEAD' ELSE '' END || CASE WHEN c_payee IS NULL THEN ';PAYEE' ELSE '' END
           || CASE WHEN c_entrant IS NULL THEN ';ENTRANT' ELSE '' END || CASE WHEN c_inquiry IS NULL THEN ';INQUIRY' ELSE '' END
           || CASE WHEN c_declared IS NULL THEN ';DECLARED' ELSE '' END || CASE WHEN c_prior IS NULL THEN ';PRIOR' ELSE '' END
           || CASE WHEN c_dependants IS NULL THEN ';DEPENDANTS' ELSE '' END, 2) AS unknown
FROM home_checks;

CREATE TABLE home_verdict AS
SELECT household, payee, untaxed, CASE WHEN unmet <> '' THEN unmet ELSE unknown END AS reasons,
       CASE WHEN unmet <> '' THEN '対象外' WHEN unknown <> '' THEN '未確定' ELSE '対象' END AS verdict
FROM home_said;
CREATE UNIQUE INDEX home_verdict_household ON home_verdict (household);

CREATE TABLE child_said AS
SELECT member.person, home_verdict.payee,
       CASE WHEN facility.住民番号 IS NOT NULL THEN 'FACILITY' ELSE '' END AS unmet,
       substr(CASE WHEN home_verdict.verdict <> '対象' THEN ';PARENT' ELSE '' END
           || CASE WHEN member.person = payee THEN ';CHILD_HEAD' ELSE '' END
           || CASE WHEN member.birth_first < terms.child THEN ';BIRTH' ELSE '' END, 2) AS unknown
FROM member JOIN home_verdict USING (household) CROSS JOIN terms
LEFT JOIN (SELECT DISTINCT 住民番号 FROM protected WHERE 区分 = '児童施設') AS facility ON facility.住民番号 = member.person
WHERE home_verdict.verdict <> '対象外' AND member.birth_last >= terms.child;

-- 調整給付。速算表は、届いた段のうち下限の一番高いもの。
CREATE TABLE adjusted AS
SELECT levy.*, person.died_here,
       COALESCE(estimated, filed,
           CASE WHEN loan_used > 0 THEN 0
                ELSE MAX(0, COALESCE(base * percent / 100 - deduction, 0) + separate - COALESCE(loan, 0)) END) AS it
FROM levy LEFT JOIN person USING (person)
LEFT JOIN quick ON quick.lowest = (SELECT MAX(lowest) FROM quick WHERE lowest <= levy.base);
CREATE TABLE short AS
SELECT adjusted.*, MAX(0, 30000 * (1 + spouse_sho + dependants) - it) + MAX(0, 10000 * (1 + spouse_ju + dependants) - rt) AS yen
FROM adjusted;
CREATE TABLE taxpayer_said AS
SELECT person, yen,
       substr(CASE WHEN kind = '家屋敷' THEN ';LEVIED' ELSE '' END
           || CASE WHEN COALESCE(died_here <= base, 0) OR COALESCE(died_on <= base, 0) THEN ';ALIVE' ELSE '' END
           || CASE WHEN income > 18050000 THEN ';CAP' ELSE '' END
           || CASE WHEN it <= 0 AND rt <= 0 THEN ';TAXPAYER' ELSE '' END
           || CASE WHEN yen <= 0 THEN ';SHORTFALL' ELSE '' END
           || CASE WHEN COALESCE(died_here <= today, 0) OR COALESCE(died_on <= today, 0) THEN ';PAYEE' ELSE '' END, 2) AS unmet
FROM (SELECT short.person, yen, kind, died_here, died_on, income, it, rt, terms.base, terms.today FROM short CROSS JOIN terms);

-- 数え直した行: 対象区分、対象番号、給付種別、判定、理由、支給額、受給者番号。
CREATE TABLE recount AS
SELECT '世帯' AS kind, household AS number,
       CASE WHEN verdict <> '対象' THEN 'R6-H' WHEN untaxed THEN 'R6-1' ELSE 'R6-2' END AS benefit, verdict, reasons,
       CASE verdict WHEN '対象' THEN 100000 ELSE 0 END AS yen, COALESCE(payee, '') AS payee
FROM home_verdict
UNION ALL
SELECT '児童', person, 'R6-3', CASE WHEN unmet <> '' THEN '対象外' WHEN unknown <> '' THEN '未確定' ELSE '対象' END,
       CASE WHEN unmet <> '' THEN unmet ELSE unknown END, CASE WHEN unmet || unknown = '' THEN 50000 ELSE 0 END, COALESCE(payee, '')
FROM child_said
UNION ALL
SELECT '納税者', person, 'R6-4', CASE unmet WHEN '' THEN '対象' ELSE '対象外' END, unmet,
       CASE unmet WHEN '' THEN (yen + 9999) / 10000 * 10000 ELSE 0 END, person
FROM taxpayer_said;
