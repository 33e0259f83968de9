BEGIN TRANSACTION;
CREATE TABLE address_change (
	id INTEGER NOT NULL, 
	subscriber_id INTEGER NOT NULL, 
	email VARCHAR(320) NOT NULL, 
	address_hash VARCHAR(64) NOT NULL, 
	link_id VARCHAR(32) NOT NULL, 
	asked_at DATETIME NOT NULL, 
	by_old_at DATETIME, 
	by_new_at DATETIME, 
	CONSTRAINT pk_address_change PRIMARY KEY (id), 
	CONSTRAINT fk_address_change_subscriber_id_subscriber FOREIGN KEY(subscriber_id) REFERENCES subscriber (id) ON DELETE CASCADE, 
	CONSTRAINT uq_address_change_link_id UNIQUE (link_id), 
	CONSTRAINT uq_address_change_subscriber_id UNIQUE (subscriber_id)
);
CREATE TABLE alarm (
	name VARCHAR(80) NOT NULL, 
	detail TEXT NOT NULL, 
	since DATETIME NOT NULL, 
	CONSTRAINT pk_alarm PRIMARY KEY (name)
);
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0006');
CREATE TABLE article (
	entry_id INTEGER NOT NULL, 
	text TEXT NOT NULL, 
	fetched_at DATETIME NOT NULL, 
	CONSTRAINT pk_article PRIMARY KEY (entry_id), 
	CONSTRAINT fk_article_entry_id_entry FOREIGN KEY(entry_id) REFERENCES entry (id) ON DELETE CASCADE
);
CREATE TABLE bounce_report (
	hash VARCHAR(64) NOT NULL, 
	kind VARCHAR(20) NOT NULL, 
	read_at DATETIME NOT NULL, 
	CONSTRAINT pk_bounce_report PRIMARY KEY (hash)
);
CREATE TABLE consent (
	id INTEGER NOT NULL, 
	subscription_id INTEGER NOT NULL, 
	event VARCHAR(20) NOT NULL, 
	method VARCHAR(40) NOT NULL, 
	attested_by TEXT NOT NULL, 
	wording_version VARCHAR(20) NOT NULL, 
	wording_hash VARCHAR(64) NOT NULL, 
	at DATETIME NOT NULL, 
	CONSTRAINT pk_consent PRIMARY KEY (id), 
	CONSTRAINT fk_consent_subscription_id_subscription FOREIGN KEY(subscription_id) REFERENCES subscription (id) ON DELETE CASCADE
);
INSERT INTO "consent" VALUES(1,1,'given','command line','operator test','1','adc70cd2597e0873d504693cd1fb71d77adb4a16f62244943f8e88bec4c0f9e7','2026-03-02 09:00:00.000000');
INSERT INTO "consent" VALUES(2,2,'given','command line','operator test','1','33604e5bec5fce8a0f6b5ea08d8c67caf5aedbdd53fa8ae141c979000b935eb4','2026-03-02 09:00:00.000000');
INSERT INTO "consent" VALUES(3,3,'given','command line','operator test','1','adc70cd2597e0873d504693cd1fb71d77adb4a16f62244943f8e88bec4c0f9e7','2026-03-02 09:00:00.000000');
INSERT INTO "consent" VALUES(4,4,'given','command line','operator test','1','adc70cd2597e0873d504693cd1fb71d77adb4a16f62244943f8e88bec4c0f9e7','2026-03-02 09:00:00.000000');
INSERT INTO "consent" VALUES(5,5,'given','command line','operator test','1','adc70cd2597e0873d504693cd1fb71d77adb4a16f62244943f8e88bec4c0f9e7','2026-03-02 09:00:00.000000');
INSERT INTO "consent" VALUES(6,6,'given','command line','operator test','1','adc70cd2597e0873d504693cd1fb71d77adb4a16f62244943f8e88bec4c0f9e7','2026-03-02 09:00:00.000000');
INSERT INTO "consent" VALUES(7,5,'withdrawn','command line','operator test','1','adc70cd2597e0873d504693cd1fb71d77adb4a16f62244943f8e88bec4c0f9e7','2026-03-02 09:00:00.000000');
CREATE TABLE "delivery" (
	id INTEGER NOT NULL, 
	kind VARCHAR(20) NOT NULL, 
	digest_id INTEGER, 
	subscription_id INTEGER, 
	message_id VARCHAR(320) NOT NULL, 
	status VARCHAR(20) NOT NULL, 
	attempts INTEGER NOT NULL, 
	created_at DATETIME NOT NULL, 
	due_at DATETIME NOT NULL, 
	next_attempt_at DATETIME NOT NULL, 
	given_up_at DATETIME NOT NULL, 
	leased_until DATETIME, 
	sent_at DATETIME, 
	error TEXT, 
	notice_id INTEGER, 
	change_id INTEGER, 
	CONSTRAINT pk_delivery PRIMARY KEY (id), 
	CONSTRAINT fk_delivery_subscription_id_subscription FOREIGN KEY(subscription_id) REFERENCES subscription (id) ON DELETE CASCADE, 
	CONSTRAINT uq_delivery_notice_id UNIQUE (notice_id), 
	CONSTRAINT fk_delivery_notice_id_notice FOREIGN KEY(notice_id) REFERENCES notice (id) ON DELETE CASCADE, 
	CONSTRAINT uq_delivery_message_id UNIQUE (message_id), 
	CONSTRAINT fk_delivery_digest_id_digest FOREIGN KEY(digest_id) REFERENCES digest (id) ON DELETE CASCADE, 
	CONSTRAINT uq_delivery_digest_id UNIQUE (digest_id, subscription_id), 
	CONSTRAINT fk_delivery_change_id_address_change FOREIGN KEY(change_id) REFERENCES address_change (id) ON DELETE CASCADE
);
INSERT INTO "delivery" VALUES(1,'digest',1,1,'<96b273dd273f40aca938672ff5733e86@example.org>','sent',1,'2026-03-03 09:00:00.000000','2026-03-03 08:00:00.000000','2026-03-03 09:00:00.000000','2026-03-06 09:00:00.000000',NULL,'2026-03-03 09:00:00.000000',NULL,NULL,NULL);
INSERT INTO "delivery" VALUES(2,'digest',1,6,'<2fb9197bfaba4863b63ac7df15324eb5@example.org>','failed',1,'2026-03-03 09:00:00.000000','2026-03-03 08:00:00.000000','2026-03-03 09:00:00.000000','2026-03-06 09:00:00.000000',NULL,NULL,'the server answered 550 to RCPT TO: 5.1.1 no such user',NULL,NULL);
INSERT INTO "delivery" VALUES(3,'confirmation',NULL,7,'<26e457f60ef441dbbb7ee89cf562428b@example.org>','sent',1,'2026-03-03 09:00:00.000000','2026-03-03 09:00:00.000000','2026-03-03 09:00:00.000000','2026-03-06 09:00:00.000000',NULL,'2026-03-03 09:20:00.000000',NULL,NULL,NULL);
INSERT INTO "delivery" VALUES(4,'digest',2,3,'<0c1fe2cb758c49dcb3001e39a642af3a@example.org>','sent',1,'2026-03-03 09:20:00.000000','2026-03-03 09:20:00.000000','2026-03-03 09:20:00.000000','2026-03-06 09:20:00.000000',NULL,'2026-03-03 09:20:00.000000',NULL,NULL,NULL);
INSERT INTO "delivery" VALUES(5,'digest',3,1,'<4c82e23a3c5244538a874f67e6ab3739@example.org>','pending',1,'2026-03-04 09:00:00.000000','2026-03-04 08:00:00.000000','2026-03-04 09:04:49.395743','2026-03-07 09:00:00.000000',NULL,NULL,'the server answered 451 to RCPT TO: 4.3.0 come back later',NULL,NULL);
INSERT INTO "delivery" VALUES(6,'digest',4,3,'<402a110062e749c79957a6fff9bd3666@example.org>','pending',1,'2026-03-04 09:00:00.000000','2026-03-04 09:00:00.000000','2026-03-04 09:04:51.116960','2026-03-07 09:00:00.000000',NULL,NULL,'the server answered 451 to RCPT TO: 4.3.0 come back later',NULL,NULL);
INSERT INTO "delivery" VALUES(7,'digest',5,6,'<1022c132f1aa4928ab648813f32e2243@example.org>','suppressed',0,'2026-03-04 09:00:00.000000','2026-03-04 08:00:00.000000','2026-03-04 09:00:00.000000','2026-03-07 09:00:00.000000',NULL,NULL,'the address is suppressed',NULL,NULL);
INSERT INTO "delivery" VALUES(8,'confirmation',NULL,8,'<262030c8e2de4d2886548846944c1b76@example.org>','pending',0,'2026-03-04 09:00:00.000000','2026-03-04 09:00:00.000000','2026-03-04 09:00:00.000000','2026-03-07 09:00:00.000000',NULL,NULL,NULL,NULL,NULL);
CREATE TABLE "digest" (
	id INTEGER NOT NULL, 
	profile_id INTEGER NOT NULL, 
	cadence VARCHAR(20) NOT NULL, 
	edition VARCHAR(20) NOT NULL, 
	language VARCHAR(12) NOT NULL, 
	group_key VARCHAR(64) NOT NULL, 
	window VARCHAR(80) NOT NULL, 
	status VARCHAR(20) NOT NULL, 
	subject TEXT NOT NULL, 
	headline TEXT NOT NULL, 
	body_html TEXT NOT NULL, 
	body_text TEXT NOT NULL, 
	composed_at DATETIME NOT NULL, 
	left_out INTEGER DEFAULT '0' NOT NULL, 
	approved_at DATETIME, 
	page_html TEXT, 
	"key" VARCHAR(32) NOT NULL, 
	CONSTRAINT pk_digest PRIMARY KEY (id), 
	CONSTRAINT fk_digest_profile_id_profile FOREIGN KEY(profile_id) REFERENCES profile (id) ON DELETE CASCADE, 
	CONSTRAINT uq_digest_profile_id UNIQUE (profile_id, cadence, group_key, window), 
	CONSTRAINT uq_digest_key UNIQUE ("key")
);
INSERT INTO "digest" VALUES(1,1,'daily','patient','en','3117b45c5f59db6720b56a12f524b34860a42d648e2f8c1c9ac1d2037019eb46','3-4/2026-03-03T08:00Z','sent','Frexalimab: Frexalimab cuts lesions by 89%','2 items: Frexalimab cuts lesions by 89%','<tr><td class="part">
<h2>About Frexalimab</h2>
<h3><a href="https://herald.example.org/cut/">Frexalimab cuts lesions by 89%</a></h3>
<p>The Example Herald (fictional) · news · 2 March 2026</p>
<p class="text">A made-up result.</p>
<p>Why it is here: the headline names frexalimab.</p>
<h3><a href="https://herald.example.org/plant/">Sanofi opens a plant</a></h3>
<p>The Example Herald (fictional) · news · 2 March 2026</p>
<p class="text">Frexalimab will be made there.</p>
<p>Why it is here: the summary names frexalimab.</p>
</td></tr>
<tr><td class="part">
<p><strong>In plain words</strong><br><strong>lesions</strong>: a damaged spot in the brain or spinal cord</p>
</td></tr>
<tr><td class="part">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0"><tbody><tr><td class="box">
<strong>Where Frexalimab stands</strong>: Investigational: in phase 3 trials for relapsing and for non-relapsing secondary progressive multiple sclerosis. Not approved: United States, European Union. As of 2 October 2025.
<p><strong>Frexalimab in short</strong>: An antibody that blocks CD40L, a signal by which immune cells wake each other.<br>Developer: Sanofi<br>How it is given: Infusion into a vein once a month, or injection under the skin<br>Common side effects: common cold; headache; COVID-19<br>Trials: NCT04879628 (phase 2), FREXALT (phase 3), FREVIVA (phase 3), FABULINUS (phase 2b), NCT07325292 (phase 3)</p>
</td></tr></tbody></table>
</td></tr>
','Chosen by the Example Society.

ABOUT FREXALIMAB
================

Frexalimab cuts lesions by 89%
https://herald.example.org/cut/
  The Example Herald (fictional) · news · 2 March 2026
  A made-up result.
  Why it is here: the headline names frexalimab.

Sanofi opens a plant
https://herald.example.org/plant/
  The Example Herald (fictional) · news · 2 March 2026
  Frexalimab will be made there.
  Why it is here: the summary names frexalimab.

In plain words
  lesions: a damaged spot in the brain or spinal cord

Where Frexalimab stands: Investigational: in phase 3 trials for
relapsing and for non-relapsing secondary progressive multiple
sclerosis. Not approved: United States, European Union. As of 2 October
2025.

Frexalimab in short: An antibody that blocks CD40L, a signal by which
immune cells wake each other.
  Developer: Sanofi
  How it is given: Infusion into a vein once a month, or injection under
  the skin
  Common side effects: common cold; headache; COVID-19
  Trials: NCT04879628 (phase 2), FREXALT (phase 3), FREVIVA (phase 3),
  FABULINUS (phase 2b), NCT07325292 (phase 3)
','2026-03-03 09:00:00.000000',0,NULL,NULL,'2h8qJ63AfQVPopeLDYROxw');
INSERT INTO "digest" VALUES(2,1,'immediate','patient','en','3117b45c5f59db6720b56a12f524b34860a42d648e2f8c1c9ac1d2037019eb46','3-4/2026-03-03T09:20Z','sent','Frexalimab: Frexalimab cuts lesions by 89%','2 items: Frexalimab cuts lesions by 89%','<tr><td class="part">
<h2>About Frexalimab</h2>
<h3><a href="https://herald.example.org/cut/">Frexalimab cuts lesions by 89%</a></h3>
<p>The Example Herald (fictional) · news · 2 March 2026</p>
<p class="text">A made-up result.</p>
<p>Why it is here: the headline names frexalimab.</p>
<h3><a href="https://herald.example.org/plant/">Sanofi opens a plant</a></h3>
<p>The Example Herald (fictional) · news · 2 March 2026</p>
<p class="text">Frexalimab will be made there.</p>
<p>Why it is here: the summary names frexalimab.</p>
</td></tr>
<tr><td class="part">
<p><strong>In plain words</strong><br><strong>lesions</strong>: a damaged spot in the brain or spinal cord</p>
</td></tr>
<tr><td class="part">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0"><tbody><tr><td class="box">
<strong>Where Frexalimab stands</strong>: Investigational: in phase 3 trials for relapsing and for non-relapsing secondary progressive multiple sclerosis. Not approved: United States, European Union. As of 2 October 2025.
<p><strong>Frexalimab in short</strong>: An antibody that blocks CD40L, a signal by which immune cells wake each other.<br>Developer: Sanofi<br>How it is given: Infusion into a vein once a month, or injection under the skin<br>Common side effects: common cold; headache; COVID-19<br>Trials: NCT04879628 (phase 2), FREXALT (phase 3), FREVIVA (phase 3), FABULINUS (phase 2b), NCT07325292 (phase 3)</p>
</td></tr></tbody></table>
</td></tr>
','Chosen by the Example Society.

ABOUT FREXALIMAB
================

Frexalimab cuts lesions by 89%
https://herald.example.org/cut/
  The Example Herald (fictional) · news · 2 March 2026
  A made-up result.
  Why it is here: the headline names frexalimab.

Sanofi opens a plant
https://herald.example.org/plant/
  The Example Herald (fictional) · news · 2 March 2026
  Frexalimab will be made there.
  Why it is here: the summary names frexalimab.

In plain words
  lesions: a damaged spot in the brain or spinal cord

Where Frexalimab stands: Investigational: in phase 3 trials for
relapsing and for non-relapsing secondary progressive multiple
sclerosis. Not approved: United States, European Union. As of 2 October
2025.

Frexalimab in short: An antibody that blocks CD40L, a signal by which
immune cells wake each other.
  Developer: Sanofi
  How it is given: Infusion into a vein once a month, or injection under
  the skin
  Common side effects: common cold; headache; COVID-19
  Trials: NCT04879628 (phase 2), FREXALT (phase 3), FREVIVA (phase 3),
  FABULINUS (phase 2b), NCT07325292 (phase 3)
','2026-03-03 09:20:00.000000',0,NULL,NULL,'heWUSF1Zy2J_ua1i-D8aew');
INSERT INTO "digest" VALUES(3,1,'daily','patient','en','55869b0752eb62dc6fa8b040cfac4af4937807a27bf2c37a651f6bd20898922e','6-7/2026-03-04T08:00Z','approved','Frexalimab: Frexalimab cuts lesions by 86%','3 items: Frexalimab cuts lesions by 86%','<tr><td class="part">
<h2>Corrected since we wrote</h2>
<h3><a href="https://herald.example.org/cut/">Frexalimab cuts lesions by 86%</a></h3>
<p>The Example Herald (fictional) · news · 4 March 2026</p>
<p class="text"><strong>The headline</strong>: was “Frexalimab cuts lesions by 89%”, now “Frexalimab cuts lesions by 86%” (89% → 86%)</p>
<p>Why it is here: you were sent the earlier version; the headline names frexalimab.</p>
</td></tr>
<tr><td class="part">
<h2>About Frexalimab</h2>
<h3><a href="https://herald.example.org/widens/">Frexalimab study widens</a></h3>
<p>The Example Herald (fictional) · news · 4 March 2026</p>
<p class="text">More people can take part.</p>
<p>Why it is here: the headline names frexalimab.</p>
</td></tr>
<tr><td class="part">
<h2>Trials</h2>
<h3><a href="https://clinicaltrials.gov/study/NCT99990001">DEMO-FREX: A Made-up Study of Frexalimab in Relapsing Multiple Sclerosis (Fictional Record)</a></h3>
<p>ClinicalTrials.gov · trial registry · 4 March 2026</p>
<p class="text"><strong>Status</strong>: was “Recruiting”, now “Suspended”<br><strong>End of the main measurements</strong>: was “June 2027 (estimated)”, now “December 2027 (estimated)” (6 months later)</p>
<p>Most important first: whether the trial goes on, results, dates, size and design, places, sponsor and conditions, contacts.<br>Why it is here: the headline names frexalimab.</p>
</td></tr>
<tr><td class="part">
<p><strong>In plain words</strong><br><strong>lesions</strong>: a damaged spot in the brain or spinal cord<br><strong>Relapsing</strong>: new or worse symptoms that last at least a day</p>
</td></tr>
<tr><td class="part">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0"><tbody><tr><td class="box">
<strong>Where Frexalimab stands</strong>: Investigational: in phase 3 trials for relapsing and for non-relapsing secondary progressive multiple sclerosis. Not approved: United States, European Union. As of 2 October 2025.
</td></tr></tbody></table>
</td></tr>
','Chosen by the Example Society.

CORRECTED SINCE WE WROTE
========================

Frexalimab cuts lesions by 86%
https://herald.example.org/cut/
  The Example Herald (fictional) · news · 4 March 2026
  The headline: was “Frexalimab cuts lesions by 89%”, now “Frexalimab
  cuts lesions by 86%” (89% → 86%)
  Why it is here: you were sent the earlier version; the headline names
  frexalimab.

ABOUT FREXALIMAB
================

Frexalimab study widens
https://herald.example.org/widens/
  The Example Herald (fictional) · news · 4 March 2026
  More people can take part.
  Why it is here: the headline names frexalimab.

TRIALS
======

DEMO-FREX: A Made-up Study of Frexalimab in Relapsing Multiple Sclerosis
(Fictional Record)
https://clinicaltrials.gov/study/NCT99990001
  ClinicalTrials.gov · trial registry · 4 March 2026
  Status: was “Recruiting”, now “Suspended”
  End of the main measurements: was “June 2027 (estimated)”, now
  “December 2027 (estimated)” (6 months later)
  Most important first: whether the trial goes on, results, dates, size
  and design, places, sponsor and conditions, contacts.
  Why it is here: the headline names frexalimab.

In plain words
  lesions: a damaged spot in the brain or spinal cord
  Relapsing: new or worse symptoms that last at least a day

Where Frexalimab stands: Investigational: in phase 3 trials for
relapsing and for non-relapsing secondary progressive multiple
sclerosis. Not approved: United States, European Union. As of 2 October
2025.
','2026-03-04 09:00:00.000000',0,NULL,NULL,'wOQ_Uz-IkKnP8v0MoA79VQ');
INSERT INTO "digest" VALUES(4,1,'immediate','patient','en','55869b0752eb62dc6fa8b040cfac4af4937807a27bf2c37a651f6bd20898922e','6-7/2026-03-04T09:00Z','approved','Frexalimab: Frexalimab cuts lesions by 86%','3 items: Frexalimab cuts lesions by 86%','<tr><td class="part">
<h2>Corrected since we wrote</h2>
<h3><a href="https://herald.example.org/cut/">Frexalimab cuts lesions by 86%</a></h3>
<p>The Example Herald (fictional) · news · 4 March 2026</p>
<p class="text"><strong>The headline</strong>: was “Frexalimab cuts lesions by 89%”, now “Frexalimab cuts lesions by 86%” (89% → 86%)</p>
<p>Why it is here: you were sent the earlier version; the headline names frexalimab.</p>
</td></tr>
<tr><td class="part">
<h2>About Frexalimab</h2>
<h3><a href="https://herald.example.org/widens/">Frexalimab study widens</a></h3>
<p>The Example Herald (fictional) · news · 4 March 2026</p>
<p class="text">More people can take part.</p>
<p>Why it is here: the headline names frexalimab.</p>
</td></tr>
<tr><td class="part">
<h2>Trials</h2>
<h3><a href="https://clinicaltrials.gov/study/NCT99990001">DEMO-FREX: A Made-up Study of Frexalimab in Relapsing Multiple Sclerosis (Fictional Record)</a></h3>
<p>ClinicalTrials.gov · trial registry · 4 March 2026</p>
<p class="text"><strong>Status</strong>: was “Recruiting”, now “Suspended”<br><strong>End of the main measurements</strong>: was “June 2027 (estimated)”, now “December 2027 (estimated)” (6 months later)</p>
<p>Most important first: whether the trial goes on, results, dates, size and design, places, sponsor and conditions, contacts.<br>Why it is here: the headline names frexalimab.</p>
</td></tr>
<tr><td class="part">
<p><strong>In plain words</strong><br><strong>lesions</strong>: a damaged spot in the brain or spinal cord<br><strong>Relapsing</strong>: new or worse symptoms that last at least a day</p>
</td></tr>
<tr><td class="part">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0"><tbody><tr><td class="box">
<strong>Where Frexalimab stands</strong>: Investigational: in phase 3 trials for relapsing and for non-relapsing secondary progressive multiple sclerosis. Not approved: United States, European Union. As of 2 October 2025.
</td></tr></tbody></table>
</td></tr>
','Chosen by the Example Society.

CORRECTED SINCE WE WROTE
========================

Frexalimab cuts lesions by 86%
https://herald.example.org/cut/
  The Example Herald (fictional) · news · 4 March 2026
  The headline: was “Frexalimab cuts lesions by 89%”, now “Frexalimab
  cuts lesions by 86%” (89% → 86%)
  Why it is here: you were sent the earlier version; the headline names
  frexalimab.

ABOUT FREXALIMAB
================

Frexalimab study widens
https://herald.example.org/widens/
  The Example Herald (fictional) · news · 4 March 2026
  More people can take part.
  Why it is here: the headline names frexalimab.

TRIALS
======

DEMO-FREX: A Made-up Study of Frexalimab in Relapsing Multiple Sclerosis
(Fictional Record)
https://clinicaltrials.gov/study/NCT99990001
  ClinicalTrials.gov · trial registry · 4 March 2026
  Status: was “Recruiting”, now “Suspended”
  End of the main measurements: was “June 2027 (estimated)”, now
  “December 2027 (estimated)” (6 months later)
  Most important first: whether the trial goes on, results, dates, size
  and design, places, sponsor and conditions, contacts.
  Why it is here: the headline names frexalimab.

In plain words
  lesions: a damaged spot in the brain or spinal cord
  Relapsing: new or worse symptoms that last at least a day

Where Frexalimab stands: Investigational: in phase 3 trials for
relapsing and for non-relapsing secondary progressive multiple
sclerosis. Not approved: United States, European Union. As of 2 October
2025.
','2026-03-04 09:00:00.000000',0,NULL,NULL,'x8mgdG6GDgGheFNRU-ft1g');
INSERT INTO "digest" VALUES(5,1,'daily','patient','en','a5b9b2b4ac5cf66a9665b140f56e2a97de22f83ecf6369078faf7d6d3e978266','5-7/2026-03-04T08:00Z','sent','Frexalimab: Frexalimab study widens','2 items: Frexalimab study widens','<tr><td class="part">
<h2>About Frexalimab</h2>
<h3><a href="https://herald.example.org/widens/">Frexalimab study widens</a></h3>
<p>The Example Herald (fictional) · news · 4 March 2026</p>
<p class="text">More people can take part.</p>
<p>Why it is here: the headline names frexalimab.</p>
</td></tr>
<tr><td class="part">
<h2>Trials</h2>
<h3><a href="https://clinicaltrials.gov/study/NCT99990001">DEMO-FREX: A Made-up Study of Frexalimab in Relapsing Multiple Sclerosis (Fictional Record)</a></h3>
<p>ClinicalTrials.gov · trial registry · 4 March 2026</p>
<p class="text"><strong>Status</strong>: was “Recruiting”, now “Suspended”<br><strong>End of the main measurements</strong>: was “June 2027 (estimated)”, now “December 2027 (estimated)” (6 months later)</p>
<p>Most important first: whether the trial goes on, results, dates, size and design, places, sponsor and conditions, contacts.<br>Why it is here: the headline names frexalimab.</p>
</td></tr>
<tr><td class="part">
<p><strong>In plain words</strong><br><strong>Relapsing</strong>: new or worse symptoms that last at least a day</p>
</td></tr>
<tr><td class="part">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0"><tbody><tr><td class="box">
<strong>Where Frexalimab stands</strong>: Investigational: in phase 3 trials for relapsing and for non-relapsing secondary progressive multiple sclerosis. Not approved: United States, European Union. As of 2 October 2025.
</td></tr></tbody></table>
</td></tr>
','Chosen by the Example Society.

ABOUT FREXALIMAB
================

Frexalimab study widens
https://herald.example.org/widens/
  The Example Herald (fictional) · news · 4 March 2026
  More people can take part.
  Why it is here: the headline names frexalimab.

TRIALS
======

DEMO-FREX: A Made-up Study of Frexalimab in Relapsing Multiple Sclerosis
(Fictional Record)
https://clinicaltrials.gov/study/NCT99990001
  ClinicalTrials.gov · trial registry · 4 March 2026
  Status: was “Recruiting”, now “Suspended”
  End of the main measurements: was “June 2027 (estimated)”, now
  “December 2027 (estimated)” (6 months later)
  Most important first: whether the trial goes on, results, dates, size
  and design, places, sponsor and conditions, contacts.
  Why it is here: the headline names frexalimab.

In plain words
  Relapsing: new or worse symptoms that last at least a day

Where Frexalimab stands: Investigational: in phase 3 trials for
relapsing and for non-relapsing secondary progressive multiple
sclerosis. Not approved: United States, European Union. As of 2 October
2025.
','2026-03-04 09:00:00.000000',0,NULL,NULL,'ak4Ozi93MFaMfZLN2Euekg');
CREATE TABLE digest_item (
	digest_id INTEGER NOT NULL, 
	match_id INTEGER NOT NULL, 
	revision_id INTEGER NOT NULL, 
	kind VARCHAR(20) NOT NULL, 
	rank INTEGER NOT NULL, 
	CONSTRAINT pk_digest_item PRIMARY KEY (digest_id, match_id), 
	CONSTRAINT fk_digest_item_digest_id_digest FOREIGN KEY(digest_id) REFERENCES digest (id) ON DELETE CASCADE, 
	CONSTRAINT fk_digest_item_match_id_match FOREIGN KEY(match_id) REFERENCES "match" (id) ON DELETE CASCADE, 
	CONSTRAINT fk_digest_item_revision_id_revision FOREIGN KEY(revision_id) REFERENCES revision (id) ON DELETE CASCADE
);
INSERT INTO "digest_item" VALUES(1,3,3,'new',1);
INSERT INTO "digest_item" VALUES(1,4,4,'new',2);
INSERT INTO "digest_item" VALUES(2,3,3,'new',1);
INSERT INTO "digest_item" VALUES(2,4,4,'new',2);
INSERT INTO "digest_item" VALUES(3,6,6,'corrected',1);
INSERT INTO "digest_item" VALUES(3,5,5,'new',2);
INSERT INTO "digest_item" VALUES(3,7,7,'trial_change',3);
INSERT INTO "digest_item" VALUES(4,6,6,'corrected',1);
INSERT INTO "digest_item" VALUES(4,5,5,'new',2);
INSERT INTO "digest_item" VALUES(4,7,7,'trial_change',3);
INSERT INTO "digest_item" VALUES(5,5,5,'new',1);
INSERT INTO "digest_item" VALUES(5,7,7,'trial_change',2);
CREATE TABLE enquiry (
	id INTEGER NOT NULL, 
	kind VARCHAR(20) NOT NULL, 
	network VARCHAR(64) NOT NULL, 
	email VARCHAR(320), 
	wish JSON, 
	at DATETIME NOT NULL, 
	answered_at DATETIME, target VARCHAR(64) DEFAULT '' NOT NULL, asker VARCHAR(64) DEFAULT '' NOT NULL, 
	CONSTRAINT pk_enquiry PRIMARY KEY (id)
);
INSERT INTO "enquiry" VALUES(1,'subscribe','cae135e98d1777f89d6e1b3792ffeeb55e49635738680ea6eec1c3205a1656db',NULL,NULL,'2026-03-04 09:00:00.000000','2026-03-04 09:00:00.000000','fa37e4a93430ebe777621ddfb2af5a37738746a912c0c676403fd016cc4bdfe4','');
INSERT INTO "enquiry" VALUES(2,'subscribe','cae135e98d1777f89d6e1b3792ffeeb55e49635738680ea6eec1c3205a1656db','ida@example.org','{"profile": "frexalimab", "every": "weekly", "at": "18:00", "on": 4, "time_zone": "Europe/Paris", "edition": "patient", "language": "fr"}','2026-03-04 09:00:00.000000',NULL,'fd6d0098f05e3961d04f5441affff73e75279795916b1cf6d8f1c5b182174700','');
CREATE TABLE entry (
	id INTEGER NOT NULL, 
	source_id INTEGER NOT NULL, 
	"key" TEXT NOT NULL, 
	url TEXT NOT NULL, 
	title TEXT NOT NULL, 
	published_at DATETIME, 
	first_seen_at DATETIME NOT NULL, left_at DATETIME, checked_at DATETIME, missing_since DATETIME, 
	CONSTRAINT pk_entry PRIMARY KEY (id), 
	CONSTRAINT fk_entry_source_id_source FOREIGN KEY(source_id) REFERENCES source (id) ON DELETE CASCADE, 
	CONSTRAINT uq_entry_source_id UNIQUE (source_id, "key")
);
INSERT INTO "entry" VALUES(1,1,'guid:https://herald.example.org/?p=before','https://herald.example.org/before/','Frexalimab before anybody subscribed','2026-03-01 09:00:00.000000','2026-03-02 09:00:00.000000',NULL,'2026-03-04 09:00:00.000000',NULL);
INSERT INTO "entry" VALUES(2,2,'guid:NCT99990001','https://clinicaltrials.gov/study/NCT99990001','DEMO-FREX: A Made-up Study of Frexalimab in Relapsing Multiple Sclerosis (Fictional Record)','2024-11-05 00:00:00.000000','2026-03-02 09:00:00.000000',NULL,NULL,NULL);
INSERT INTO "entry" VALUES(3,1,'guid:https://herald.example.org/?p=cut','https://herald.example.org/cut/','Frexalimab cuts lesions by 86%','2026-03-02 14:00:00.000000','2026-03-03 09:00:00.000000',NULL,'2026-03-04 09:00:00.000000',NULL);
INSERT INTO "entry" VALUES(4,1,'guid:https://herald.example.org/?p=plant','https://herald.example.org/plant/','Sanofi opens a plant','2026-03-02 15:00:00.000000','2026-03-03 09:00:00.000000',NULL,'2026-03-04 09:00:00.000000',NULL);
INSERT INTO "entry" VALUES(5,1,'guid:https://herald.example.org/?p=widens','https://herald.example.org/widens/','Frexalimab study widens','2026-03-04 01:00:00.000000','2026-03-04 07:40:00.000000',NULL,NULL,NULL);
CREATE TABLE entry_alias (
	source_id INTEGER NOT NULL, 
	"key" TEXT NOT NULL, 
	entry_id INTEGER NOT NULL, 
	CONSTRAINT pk_entry_alias PRIMARY KEY (source_id, "key"), 
	CONSTRAINT fk_entry_alias_entry_id_entry FOREIGN KEY(entry_id) REFERENCES entry (id) ON DELETE CASCADE, 
	CONSTRAINT fk_entry_alias_source_id_source FOREIGN KEY(source_id) REFERENCES source (id) ON DELETE CASCADE
);
INSERT INTO "entry_alias" VALUES(1,'guid:https://herald.example.org/?p=before',1);
INSERT INTO "entry_alias" VALUES(1,'link:herald.example.org/before',1);
INSERT INTO "entry_alias" VALUES(1,'content:4a5024d8d898c021f9b20c8355dcabe6a47d6adbac603837df9f10976b103314',1);
INSERT INTO "entry_alias" VALUES(2,'guid:NCT99990001',2);
INSERT INTO "entry_alias" VALUES(2,'link:clinicaltrials.gov/study/NCT99990001',2);
INSERT INTO "entry_alias" VALUES(2,'content:3fb6f1e2c579d8946890f10e0095deeac02b26f9ac0bd4e4293055765c68ade0',2);
INSERT INTO "entry_alias" VALUES(1,'guid:https://herald.example.org/?p=cut',3);
INSERT INTO "entry_alias" VALUES(1,'link:herald.example.org/cut',3);
INSERT INTO "entry_alias" VALUES(1,'content:b0a79a52908c2580be704627565526cbb25483164fb0b4ae159465b8c52127ff',3);
INSERT INTO "entry_alias" VALUES(1,'guid:https://herald.example.org/?p=plant',4);
INSERT INTO "entry_alias" VALUES(1,'link:herald.example.org/plant',4);
INSERT INTO "entry_alias" VALUES(1,'content:f9d2977440b2d67a33de4aafc86b3ffb9bd412e945a3b69bd04fc124e854efc7',4);
INSERT INTO "entry_alias" VALUES(1,'guid:https://herald.example.org/?p=widens',5);
INSERT INTO "entry_alias" VALUES(1,'link:herald.example.org/widens',5);
INSERT INTO "entry_alias" VALUES(1,'content:5751f8f0f9e1366363b531b3144cb8b5d6ec086f28d5427bd8250bae43b7e444',5);
INSERT INTO "entry_alias" VALUES(1,'content:a15564a047cf4a43ef5e993e22ee97ecf8adf961f435a9a895fee865f5847674',3);
CREATE TABLE examination (
	revision_id INTEGER NOT NULL, 
	examined_at DATETIME NOT NULL, 
	CONSTRAINT pk_examination PRIMARY KEY (revision_id), 
	CONSTRAINT fk_examination_revision_id_revision FOREIGN KEY(revision_id) REFERENCES revision (id) ON DELETE CASCADE
);
INSERT INTO "examination" VALUES(1,'2026-03-02 09:00:00.000000');
INSERT INTO "examination" VALUES(2,'2026-03-02 09:00:00.000000');
INSERT INTO "examination" VALUES(3,'2026-03-03 09:00:00.000000');
INSERT INTO "examination" VALUES(4,'2026-03-03 09:00:00.000000');
INSERT INTO "examination" VALUES(5,'2026-03-04 07:40:00.000000');
INSERT INTO "examination" VALUES(6,'2026-03-04 07:40:00.000000');
INSERT INTO "examination" VALUES(7,'2026-03-04 07:40:00.000000');
CREATE TABLE installation (
	id INTEGER NOT NULL, 
	salt VARCHAR(64) NOT NULL, key_fingerprint VARCHAR(16), 
	CONSTRAINT pk_installation PRIMARY KEY (id)
);
INSERT INTO "installation" VALUES(1,'70e0fa129960e7bce786c14b538df0a71d0d7475cb427dc17842b83b33689049','c1f5fe5e7a03886d');
CREATE TABLE "match" (
	id INTEGER NOT NULL, 
	profile_id INTEGER NOT NULL, 
	revision_id INTEGER NOT NULL, 
	entry_id INTEGER NOT NULL, 
	position INTEGER NOT NULL, 
	kind VARCHAR(20) NOT NULL, 
	tier VARCHAR(20) NOT NULL, 
	score DOUBLE NOT NULL, 
	reasons JSON NOT NULL, 
	filed BOOLEAN NOT NULL, 
	created_at DATETIME NOT NULL, story INTEGER, urgent BOOLEAN DEFAULT 0 NOT NULL, 
	CONSTRAINT pk_match PRIMARY KEY (id), 
	CONSTRAINT fk_match_entry_id_entry FOREIGN KEY(entry_id) REFERENCES entry (id) ON DELETE CASCADE, 
	CONSTRAINT fk_match_profile_id_profile FOREIGN KEY(profile_id) REFERENCES profile (id) ON DELETE CASCADE, 
	CONSTRAINT fk_match_revision_id_revision FOREIGN KEY(revision_id) REFERENCES revision (id) ON DELETE CASCADE, 
	CONSTRAINT uq_match_profile_position UNIQUE (profile_id, position), 
	CONSTRAINT uq_match_profile_revision UNIQUE (profile_id, revision_id)
);
INSERT INTO "match" VALUES(1,1,1,1,1,'new','about',0.9,'[{"say": "%(place)s names %(term)s", "values": {"place": {"say": "the headline", "values": {}}, "term": "frexalimab"}}]',1,'2026-03-02 09:00:00.000000',NULL,0);
INSERT INTO "match" VALUES(2,1,2,2,2,'new','about',0.94,'[{"say": "%(place)s names %(term)s", "values": {"place": {"say": "the headline", "values": {}}, "term": "frexalimab"}}]',1,'2026-03-02 09:00:00.000000',NULL,0);
INSERT INTO "match" VALUES(3,1,3,3,3,'new','about',0.9,'[{"say": "%(place)s names %(term)s", "values": {"place": {"say": "the headline", "values": {}}, "term": "frexalimab"}}]',0,'2026-03-03 09:00:00.000000',NULL,0);
INSERT INTO "match" VALUES(4,1,4,4,4,'new','about',0.72,'[{"say": "%(place)s names %(term)s", "values": {"place": {"say": "the summary", "values": {}}, "term": "frexalimab"}}]',0,'2026-03-03 09:00:00.000000',NULL,0);
INSERT INTO "match" VALUES(5,1,5,5,5,'new','about',0.9,'[{"say": "%(place)s names %(term)s", "values": {"place": {"say": "the headline", "values": {}}, "term": "frexalimab"}}]',0,'2026-03-04 07:40:00.000000',NULL,0);
INSERT INTO "match" VALUES(6,1,6,3,6,'corrected','about',0.9,'[{"say": "%(place)s names %(term)s", "values": {"place": {"say": "the headline", "values": {}}, "term": "frexalimab"}}]',0,'2026-03-04 07:40:00.000000',NULL,0);
INSERT INTO "match" VALUES(7,1,7,2,7,'trial_change','about',0.94,'[{"say": "%(place)s names %(term)s", "values": {"place": {"say": "the headline", "values": {}}, "term": "frexalimab"}}]',0,'2026-03-04 07:40:00.000000',NULL,1);
CREATE TABLE near_miss (
	id INTEGER NOT NULL, 
	profile_id INTEGER NOT NULL, 
	entry_id INTEGER NOT NULL, 
	revision_id INTEGER NOT NULL, 
	tier VARCHAR(20) NOT NULL, 
	reasons JSON NOT NULL, 
	baseline BOOLEAN NOT NULL, 
	held_at DATETIME NOT NULL, 
	released_at DATETIME, 
	CONSTRAINT pk_near_miss PRIMARY KEY (id), 
	CONSTRAINT fk_near_miss_profile_id_profile FOREIGN KEY(profile_id) REFERENCES profile (id) ON DELETE CASCADE, 
	CONSTRAINT fk_near_miss_entry_id_entry FOREIGN KEY(entry_id) REFERENCES entry (id) ON DELETE CASCADE, 
	CONSTRAINT fk_near_miss_revision_id_revision FOREIGN KEY(revision_id) REFERENCES revision (id) ON DELETE CASCADE, 
	CONSTRAINT uq_near_miss_profile_id UNIQUE (profile_id, entry_id)
);
CREATE TABLE notice (
	id INTEGER NOT NULL, 
	"to" VARCHAR(320) NOT NULL, 
	subject TEXT NOT NULL, 
	text TEXT NOT NULL, 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_notice PRIMARY KEY (id)
);
CREATE TABLE pace (
	"key" VARCHAR(255) NOT NULL, 
	next_at DATETIME NOT NULL, 
	CONSTRAINT pk_pace PRIMARY KEY ("key")
);
INSERT INTO "pace" VALUES('','2026-03-04 09:00:00.004000');
CREATE TABLE profile (
	id INTEGER NOT NULL, 
	slug VARCHAR(80) NOT NULL, 
	name TEXT NOT NULL, 
	summary TEXT NOT NULL, 
	stage TEXT NOT NULL, 
	stage_as_of DATE, 
	document JSON NOT NULL, 
	imported_at DATETIME NOT NULL, 
	position INTEGER NOT NULL, 
	CONSTRAINT pk_profile PRIMARY KEY (id), 
	CONSTRAINT uq_profile_slug UNIQUE (slug)
);
INSERT INTO "profile" VALUES(1,'frexalimab','Frexalimab','An antibody that blocks CD40L, a signal by which immune cells wake each other.','Investigational: in phase 3 trials for relapsing and for non-relapsing secondary progressive multiple sclerosis','2025-10-02','{"slug": "frexalimab", "name": "Frexalimab", "summary": "An antibody that blocks CD40L, a signal by which immune cells wake each other.", "stage": "Investigational: in phase 3 trials for relapsing and for non-relapsing secondary progressive multiple sclerosis", "stage_as_of": "2025-10-02", "public": true, "approvals": [{"where": "US", "status": "not approved", "as_of": "2025-10-02"}, {"where": "EU", "status": "not approved", "as_of": "2025-10-02"}], "sources": ["http://news-site.example.org/feed/", "http://news-site.example.org/api/v2/studies/NCT99990001"], "facts": {"target": "CD40L, also called CD154 or CD40 ligand", "class": "Second-generation anti-CD40L antibody, made to avoid the blood clots seen with the first ones", "developer": "Sanofi", "studied_for": ["relapsing multiple sclerosis", "non-relapsing secondary progressive multiple sclerosis"], "how_it_is_given": "Infusion into a vein once a month, or injection under the skin", "doses_in_phase_2": ["1,200 mg by infusion, monthly", "300 mg under the skin, every other week", "1,800 mg under the skin, monthly (extension)"], "compared_with": ["placebo", "teriflunomide (Aubagio)"], "common_side_effects": ["common cold", "headache", "COVID-19"]}, "terms": [{"kind": "name", "text": "frexalimab", "also": ["\u30d5\u30ec\u30ad\u30b5\u30ea\u30de\u30d6", "\u0444\u0440\u0435\u043a\u0441\u0430\u043b\u0438\u043c\u0430\u0431"]}, {"kind": "code", "text": "SAR441344"}, {"kind": "code", "text": "INX-021", "also": ["INX021"]}, {"kind": "target", "text": "CD40L", "also": ["CD40-L", "CD40 L", "CD40 ligand", "CD40 ligands", "CD154", "gp39"]}, {"kind": "class", "text": "anti-CD40L", "also": ["anti-CD40 ligand", "anti-CD154"]}, {"kind": "class", "text": "dapirolizumab pegol", "also": ["dapirolizumab"]}, {"kind": "class", "text": "tegoprubart"}, {"kind": "class", "text": "dazodalibep"}, {"kind": "class", "text": "letolizumab"}, {"kind": "class", "text": "toralizumab", "also": ["IDEC-131"]}, {"kind": "class", "text": "ruplizumab"}, {"kind": "sponsor", "text": "Sanofi"}, {"kind": "indication", "text": "multiple sclerosis", "also": ["MS", "RRMS", "SPMS", "relapsing MS", "secondary progressive MS"]}, {"kind": "comparator", "text": "teriflunomide", "also": ["Aubagio"]}], "trials": [{"id": "NCT04879628", "phase": "2", "about": "129 people with relapsing multiple sclerosis, against placebo for three months, then an open-label extension"}, {"id": "NCT06141473", "acronym": "FREXALT", "phase": "3", "about": "about 1,600 adults with relapsing multiple sclerosis, against teriflunomide; main measure: relapses"}, {"id": "NCT06141486", "acronym": "FREVIVA", "phase": "3", "about": "about 900 people with non-relapsing secondary progressive multiple sclerosis, against placebo; main measure: disability"}, {"id": "NCT06111586", "acronym": "FABULINUS", "phase": "2b", "about": "people newly diagnosed with type 1 diabetes"}, {"id": "NCT07325292", "phase": "3", "about": "about 160 people, injection under the skin against infusion"}], "canaries": [{"title": "Frexalimab slows lesions in relapsing MS", "tier": "about"}, {"title": "SAR-441344 enters phase 3", "tier": "about"}, {"title": "Another CD40L antibody reports lupus results", "tier": "related"}, {"title": "Sanofi flags delay in the review of tolebrutinib for progressive multiple sclerosis", "tier": "none"}], "translations": {"de": {"summary": "Ein Antik\u00f6rper, der CD40L blockiert, ein Signal, mit dem Immunzellen einander wecken.", "stage": "In Erprobung: Phase-3-Studien bei schubf\u00f6rmiger und bei nicht schubf\u00f6rmiger sekund\u00e4r progredienter Multipler Sklerose", "facts": {"target": "CD40L, auch CD154 oder CD40-Ligand genannt", "class": "Anti-CD40L-Antik\u00f6rper der zweiten Generation, der die Blutgerinnsel der ersten vermeiden soll", "studied_for": ["schubf\u00f6rmige Multiple Sklerose", "nicht schubf\u00f6rmige sekund\u00e4r progrediente Multiple Sklerose"], "how_it_is_given": "Einmal im Monat als Infusion in eine Vene, oder als Spritze unter die Haut", "doses_in_phase_2": ["1.200 mg als Infusion, monatlich", "300 mg unter die Haut, alle zwei Wochen", "1.800 mg unter die Haut, monatlich (Verl\u00e4ngerung)"], "compared_with": ["Placebo", "Teriflunomid (Aubagio)"], "common_side_effects": ["Erk\u00e4ltung", "Kopfschmerzen", "COVID-19"]}}, "fr": {"summary": "Un anticorps qui bloque CD40L, un signal par lequel les cellules immunitaires s\u2019activent entre elles.", "stage": "\u00c0 l\u2019\u00e9tude : essais de phase 3 dans la scl\u00e9rose en plaques r\u00e9currente et dans la forme secondairement progressive sans pouss\u00e9es", "facts": {"target": "CD40L, aussi appel\u00e9 CD154 ou ligand de CD40", "class": "Anticorps anti-CD40L de deuxi\u00e8me g\u00e9n\u00e9ration, con\u00e7u pour \u00e9viter les caillots observ\u00e9s avec les premiers", "studied_for": ["scl\u00e9rose en plaques r\u00e9currente", "scl\u00e9rose en plaques secondairement progressive sans pouss\u00e9es"], "how_it_is_given": "Perfusion dans une veine une fois par mois, ou injection sous la peau", "doses_in_phase_2": ["1 200 mg en perfusion, chaque mois", "300 mg sous la peau, toutes les deux semaines", "1 800 mg sous la peau, chaque mois (prolongation)"], "compared_with": ["placebo", "t\u00e9riflunomide (Aubagio)"], "common_side_effects": ["rhume", "maux de t\u00eate", "COVID-19"]}}, "es": {"summary": "Un anticuerpo que bloquea CD40L, una se\u00f1al con la que las c\u00e9lulas inmunitarias se activan entre s\u00ed.", "stage": "En investigaci\u00f3n: ensayos de fase 3 para la esclerosis m\u00faltiple recurrente y para la secundaria progresiva sin brotes", "facts": {"target": "CD40L, tambi\u00e9n llamado CD154 o ligando de CD40", "class": "Anticuerpo anti-CD40L de segunda generaci\u00f3n, hecho para evitar los co\u00e1gulos de los primeros", "studied_for": ["esclerosis m\u00faltiple recurrente", "esclerosis m\u00faltiple secundaria progresiva sin brotes"], "how_it_is_given": "Infusi\u00f3n en una vena una vez al mes, o inyecci\u00f3n bajo la piel", "doses_in_phase_2": ["1.200 mg por infusi\u00f3n, cada mes", "300 mg bajo la piel, cada dos semanas", "1.800 mg bajo la piel, cada mes (extensi\u00f3n)"], "compared_with": ["placebo", "teriflunomida (Aubagio)"], "common_side_effects": ["resfriado", "dolor de cabeza", "COVID-19"]}}}}','2026-03-02 09:00:00.000000',7);
CREATE TABLE profile_revision (
	profile_id INTEGER NOT NULL, 
	number INTEGER NOT NULL, 
	document JSON NOT NULL, 
	imported_at DATETIME NOT NULL, 
	CONSTRAINT pk_profile_revision PRIMARY KEY (profile_id, number), 
	CONSTRAINT fk_profile_revision_profile_id_profile FOREIGN KEY(profile_id) REFERENCES profile (id) ON DELETE CASCADE
);
INSERT INTO "profile_revision" VALUES(1,1,'{"slug": "frexalimab", "name": "Frexalimab", "summary": "An antibody that blocks CD40L, a signal by which immune cells wake each other.", "stage": "Investigational: in phase 3 trials for relapsing and for non-relapsing secondary progressive multiple sclerosis", "stage_as_of": "2025-10-02", "public": true, "approvals": [{"where": "US", "status": "not approved", "as_of": "2025-10-02"}, {"where": "EU", "status": "not approved", "as_of": "2025-10-02"}], "sources": ["http://news-site.example.org/feed/", "http://news-site.example.org/api/v2/studies/NCT99990001"], "facts": {"target": "CD40L, also called CD154 or CD40 ligand", "class": "Second-generation anti-CD40L antibody, made to avoid the blood clots seen with the first ones", "developer": "Sanofi", "studied_for": ["relapsing multiple sclerosis", "non-relapsing secondary progressive multiple sclerosis"], "how_it_is_given": "Infusion into a vein once a month, or injection under the skin", "doses_in_phase_2": ["1,200 mg by infusion, monthly", "300 mg under the skin, every other week", "1,800 mg under the skin, monthly (extension)"], "compared_with": ["placebo", "teriflunomide (Aubagio)"], "common_side_effects": ["common cold", "headache", "COVID-19"]}, "terms": [{"kind": "name", "text": "frexalimab", "also": ["\u30d5\u30ec\u30ad\u30b5\u30ea\u30de\u30d6", "\u0444\u0440\u0435\u043a\u0441\u0430\u043b\u0438\u043c\u0430\u0431"]}, {"kind": "code", "text": "SAR441344"}, {"kind": "code", "text": "INX-021", "also": ["INX021"]}, {"kind": "target", "text": "CD40L", "also": ["CD40-L", "CD40 L", "CD40 ligand", "CD40 ligands", "CD154", "gp39"]}, {"kind": "class", "text": "anti-CD40L", "also": ["anti-CD40 ligand", "anti-CD154"]}, {"kind": "class", "text": "dapirolizumab pegol", "also": ["dapirolizumab"]}, {"kind": "class", "text": "tegoprubart"}, {"kind": "class", "text": "dazodalibep"}, {"kind": "class", "text": "letolizumab"}, {"kind": "class", "text": "toralizumab", "also": ["IDEC-131"]}, {"kind": "class", "text": "ruplizumab"}, {"kind": "sponsor", "text": "Sanofi"}, {"kind": "indication", "text": "multiple sclerosis", "also": ["MS", "RRMS", "SPMS", "relapsing MS", "secondary progressive MS"]}, {"kind": "comparator", "text": "teriflunomide", "also": ["Aubagio"]}], "trials": [{"id": "NCT04879628", "phase": "2", "about": "129 people with relapsing multiple sclerosis, against placebo for three months, then an open-label extension"}, {"id": "NCT06141473", "acronym": "FREXALT", "phase": "3", "about": "about 1,600 adults with relapsing multiple sclerosis, against teriflunomide; main measure: relapses"}, {"id": "NCT06141486", "acronym": "FREVIVA", "phase": "3", "about": "about 900 people with non-relapsing secondary progressive multiple sclerosis, against placebo; main measure: disability"}, {"id": "NCT06111586", "acronym": "FABULINUS", "phase": "2b", "about": "people newly diagnosed with type 1 diabetes"}, {"id": "NCT07325292", "phase": "3", "about": "about 160 people, injection under the skin against infusion"}], "canaries": [{"title": "Frexalimab slows lesions in relapsing MS", "tier": "about"}, {"title": "SAR-441344 enters phase 3", "tier": "about"}, {"title": "Another CD40L antibody reports lupus results", "tier": "related"}, {"title": "Sanofi flags delay in the review of tolebrutinib for progressive multiple sclerosis", "tier": "none"}], "translations": {"de": {"summary": "Ein Antik\u00f6rper, der CD40L blockiert, ein Signal, mit dem Immunzellen einander wecken.", "stage": "In Erprobung: Phase-3-Studien bei schubf\u00f6rmiger und bei nicht schubf\u00f6rmiger sekund\u00e4r progredienter Multipler Sklerose", "facts": {"target": "CD40L, auch CD154 oder CD40-Ligand genannt", "class": "Anti-CD40L-Antik\u00f6rper der zweiten Generation, der die Blutgerinnsel der ersten vermeiden soll", "studied_for": ["schubf\u00f6rmige Multiple Sklerose", "nicht schubf\u00f6rmige sekund\u00e4r progrediente Multiple Sklerose"], "how_it_is_given": "Einmal im Monat als Infusion in eine Vene, oder als Spritze unter die Haut", "doses_in_phase_2": ["1.200 mg als Infusion, monatlich", "300 mg unter die Haut, alle zwei Wochen", "1.800 mg unter die Haut, monatlich (Verl\u00e4ngerung)"], "compared_with": ["Placebo", "Teriflunomid (Aubagio)"], "common_side_effects": ["Erk\u00e4ltung", "Kopfschmerzen", "COVID-19"]}}, "fr": {"summary": "Un anticorps qui bloque CD40L, un signal par lequel les cellules immunitaires s\u2019activent entre elles.", "stage": "\u00c0 l\u2019\u00e9tude : essais de phase 3 dans la scl\u00e9rose en plaques r\u00e9currente et dans la forme secondairement progressive sans pouss\u00e9es", "facts": {"target": "CD40L, aussi appel\u00e9 CD154 ou ligand de CD40", "class": "Anticorps anti-CD40L de deuxi\u00e8me g\u00e9n\u00e9ration, con\u00e7u pour \u00e9viter les caillots observ\u00e9s avec les premiers", "studied_for": ["scl\u00e9rose en plaques r\u00e9currente", "scl\u00e9rose en plaques secondairement progressive sans pouss\u00e9es"], "how_it_is_given": "Perfusion dans une veine une fois par mois, ou injection sous la peau", "doses_in_phase_2": ["1 200 mg en perfusion, chaque mois", "300 mg sous la peau, toutes les deux semaines", "1 800 mg sous la peau, chaque mois (prolongation)"], "compared_with": ["placebo", "t\u00e9riflunomide (Aubagio)"], "common_side_effects": ["rhume", "maux de t\u00eate", "COVID-19"]}}, "es": {"summary": "Un anticuerpo que bloquea CD40L, una se\u00f1al con la que las c\u00e9lulas inmunitarias se activan entre s\u00ed.", "stage": "En investigaci\u00f3n: ensayos de fase 3 para la esclerosis m\u00faltiple recurrente y para la secundaria progresiva sin brotes", "facts": {"target": "CD40L, tambi\u00e9n llamado CD154 o ligando de CD40", "class": "Anticuerpo anti-CD40L de segunda generaci\u00f3n, hecho para evitar los co\u00e1gulos de los primeros", "studied_for": ["esclerosis m\u00faltiple recurrente", "esclerosis m\u00faltiple secundaria progresiva sin brotes"], "how_it_is_given": "Infusi\u00f3n en una vena una vez al mes, o inyecci\u00f3n bajo la piel", "doses_in_phase_2": ["1.200 mg por infusi\u00f3n, cada mes", "300 mg bajo la piel, cada dos semanas", "1.800 mg bajo la piel, cada mes (extensi\u00f3n)"], "compared_with": ["placebo", "teriflunomida (Aubagio)"], "common_side_effects": ["resfriado", "dolor de cabeza", "COVID-19"]}}}}','2026-03-02 09:00:00.000000');
CREATE TABLE retired_link (
	link_id VARCHAR(32) NOT NULL, 
	subscription_id INTEGER NOT NULL, 
	retired_at DATETIME NOT NULL, 
	CONSTRAINT pk_retired_link PRIMARY KEY (link_id), 
	CONSTRAINT fk_retired_link_subscription_id_subscription FOREIGN KEY(subscription_id) REFERENCES subscription (id) ON DELETE CASCADE
);
CREATE TABLE revision (
	id INTEGER NOT NULL, 
	entry_id INTEGER NOT NULL, 
	number INTEGER NOT NULL, 
	hash VARCHAR(64) NOT NULL, 
	kind VARCHAR(20) NOT NULL, 
	material BOOLEAN NOT NULL, 
	baseline BOOLEAN NOT NULL, 
	observed_at DATETIME NOT NULL, 
	published_at DATETIME, 
	url TEXT NOT NULL, 
	title TEXT NOT NULL, 
	summary TEXT NOT NULL, 
	body TEXT NOT NULL, 
	author TEXT NOT NULL, 
	categories JSON NOT NULL, 
	content JSON NOT NULL, 
	changes JSON NOT NULL, origin VARCHAR(20) DEFAULT 'document' NOT NULL, as_of DATETIME, 
	CONSTRAINT pk_revision PRIMARY KEY (id), 
	CONSTRAINT fk_revision_entry_id_entry FOREIGN KEY(entry_id) REFERENCES entry (id) ON DELETE CASCADE, 
	CONSTRAINT uq_revision_entry_id UNIQUE (entry_id, number)
);
INSERT INTO "revision" VALUES(1,1,1,'8a1ce78c6b76ff4a889674725577c282272f62470bc817fcf558b48f5d20aaed','new',1,1,'2026-03-02 09:00:00.000000','2026-03-01 09:00:00.000000','https://herald.example.org/before/','Frexalimab before anybody subscribed','Made up for a test.','','','[]','{}','[]','document',NULL);
INSERT INTO "revision" VALUES(2,2,1,'7c889af2a0e963e3fe39e7b37ba33ab6e27622e3dbc0937be9ca46f8b259d337','new',1,1,'2026-03-02 09:00:00.000000','2024-11-05 00:00:00.000000','https://clinicaltrials.gov/study/NCT99990001','DEMO-FREX: A Made-up Study of Frexalimab in Relapsing Multiple Sclerosis (Fictional Record)','Status: recruiting, phase 3, 1400 participants, primary completion 2027-06 (estimated).','NCT99990001 Frexalimab Teriflunomide Relapsing Multiple Sclerosis','','[]','{"trial": "NCT99990001", "fields": {"Status": "Recruiting", "Results posted": "no", "Phase": "3", "Participants": "1400", "Start": "2025-01", "Primary completion": "2027-06 (estimated)", "Completion": "2028-06 (estimated)", "Conditions": "Relapsing Multiple Sclerosis", "Sponsor": "Example Sponsor (fictional)"}, "lists": {"Arms": [], "Primary outcomes": ["Annualized relapse rate (about 3 years)"], "Secondary outcomes": [], "Countries": ["Germany"], "Sites": ["Example Hospital, Exampletown, Germany"], "Contacts": []}, "aside": {"verified": "", "updated": ""}}','[]','document',NULL);
INSERT INTO "revision" VALUES(3,3,1,'3a9ace004bdec33cf4f707bc77d103f6832de1b4b11ead1379ea56dae1568511','new',1,0,'2026-03-03 09:00:00.000000','2026-03-02 14:00:00.000000','https://herald.example.org/cut/','Frexalimab cuts lesions by 89%','A made-up result.','','','[]','{}','[]','document',NULL);
INSERT INTO "revision" VALUES(4,4,1,'049d7aa79fe6f68c0023514855ada34336a6d847f9db17aea036f3a47a0b7851','new',1,0,'2026-03-03 09:00:00.000000','2026-03-02 15:00:00.000000','https://herald.example.org/plant/','Sanofi opens a plant','Frexalimab will be made there.','','','[]','{}','[]','document',NULL);
INSERT INTO "revision" VALUES(5,5,1,'3f1b94e7d489d0e1e5e4bbfca4234bf9f5d951b7d57cb21febca90ced8ab2407','new',1,0,'2026-03-04 07:40:00.000000','2026-03-04 01:00:00.000000','https://herald.example.org/widens/','Frexalimab study widens','More people can take part.','','','[]','{}','[]','document',NULL);
INSERT INTO "revision" VALUES(6,3,2,'0e0cea36b14c61a35f11c2a8a6c1048723d51681b1708703feafd7d08929e420','corrected',1,0,'2026-03-04 07:40:00.000000','2026-03-02 14:00:00.000000','https://herald.example.org/cut/','Frexalimab cuts lesions by 86%','A made-up result.','','','[]','{}','[{"what": "headline", "before": "Frexalimab cuts lesions by 89%", "after": "Frexalimab cuts lesions by 86%", "note": "89% \u2192 86%"}]','document',NULL);
INSERT INTO "revision" VALUES(7,2,2,'847b6c5a2ab7ebbaf46d832cee82f7f1eb7000dd509233d3340e8ef4515af790','trial_change',1,0,'2026-03-04 07:40:00.000000','2024-11-05 00:00:00.000000','https://clinicaltrials.gov/study/NCT99990001','DEMO-FREX: A Made-up Study of Frexalimab in Relapsing Multiple Sclerosis (Fictional Record)','Status: suspended, phase 3, 1400 participants, primary completion 2027-12 (estimated).','NCT99990001 Frexalimab Teriflunomide Relapsing Multiple Sclerosis','','[]','{"trial": "NCT99990001", "fields": {"Status": "Suspended", "Results posted": "no", "Phase": "3", "Participants": "1400", "Start": "2025-01", "Primary completion": "2027-12 (estimated)", "Completion": "2028-06 (estimated)", "Conditions": "Relapsing Multiple Sclerosis", "Sponsor": "Example Sponsor (fictional)"}, "lists": {"Arms": [], "Primary outcomes": ["Annualized relapse rate (about 3 years)"], "Secondary outcomes": [], "Countries": ["Germany"], "Sites": ["Example Hospital, Exampletown, Germany"], "Contacts": []}, "aside": {"verified": "", "updated": ""}}','[{"what": "Status", "before": "Recruiting", "after": "Suspended", "note": ""}, {"what": "Primary completion", "before": "2027-06 (estimated)", "after": "2027-12 (estimated)", "note": {"say": "%(n)s month later", "many": "%(n)s months later", "values": {"n": 6}}}]','document',NULL);
CREATE TABLE source (
	id INTEGER NOT NULL, 
	kind VARCHAR(20) NOT NULL, 
	url TEXT NOT NULL, 
	name TEXT NOT NULL, 
	authority VARCHAR(20) NOT NULL, 
	created_at DATETIME NOT NULL, 
	etag TEXT, 
	last_modified TEXT, 
	body_hash VARCHAR(64), 
	next_poll_at DATETIME NOT NULL, 
	last_success_at DATETIME, 
	baselined_at DATETIME, 
	gone_at DATETIME, 
	removed_at DATETIME, 
	failures INTEGER NOT NULL, 
	last_error TEXT, changed_at DATETIME, expected_by DATETIME, moved_to TEXT, moved_seen_at DATETIME, ttl_minutes INTEGER DEFAULT '0' NOT NULL, told_as VARCHAR(20) DEFAULT '' NOT NULL, as_of DATETIME, posts_url TEXT, posts_until DATETIME, posts_next_at DATETIME, looks JSON DEFAULT '{}' NOT NULL, left_out INTEGER DEFAULT '0' NOT NULL, 
	CONSTRAINT pk_source PRIMARY KEY (id), 
	CONSTRAINT uq_source_url UNIQUE (url)
);
INSERT INTO "source" VALUES(1,'feed','http://news-site.example.org/feed/','The Example Herald (fictional)','news','2026-03-02 09:00:00.000000','"f5f486158460"',NULL,'f5f486158460c1f5e2174a65e26267bf0c8f9bd579464c211c606eb6239a897a','2026-03-04 09:28:44.395668','2026-03-04 09:00:00.000000','2026-03-02 09:00:00.000000',NULL,NULL,0,NULL,'2026-03-04 07:40:00.000000','2026-03-11 07:40:00.000000',NULL,NULL,0,'',NULL,NULL,NULL,NULL,'{"2026-03-02": 1, "2026-03-03": 1, "2026-03-04": 2}',0);
INSERT INTO "source" VALUES(2,'registry','http://news-site.example.org/api/v2/studies/NCT99990001','ClinicalTrials.gov','registry','2026-03-02 09:00:00.000000','"3266d364206a"',NULL,'3266d364206a4fbc19ab21bb1f997155315ef258b4e1b38b89e2d26e6d054e16','2026-03-04 09:27:30.620632','2026-03-04 09:00:00.000000','2026-03-02 09:00:00.000000',NULL,NULL,0,NULL,'2026-03-04 07:40:00.000000',NULL,NULL,NULL,0,'',NULL,NULL,NULL,NULL,'{"2026-03-02": 1, "2026-03-03": 1, "2026-03-04": 2}',0);
CREATE TABLE source_profile (
	source_id INTEGER NOT NULL, 
	profile_id INTEGER NOT NULL, 
	CONSTRAINT pk_source_profile PRIMARY KEY (source_id, profile_id), 
	CONSTRAINT fk_source_profile_profile_id_profile FOREIGN KEY(profile_id) REFERENCES profile (id) ON DELETE CASCADE, 
	CONSTRAINT fk_source_profile_source_id_source FOREIGN KEY(source_id) REFERENCES source (id) ON DELETE CASCADE
);
INSERT INTO "source_profile" VALUES(1,1);
INSERT INTO "source_profile" VALUES(2,1);
CREATE TABLE subscriber (
	id INTEGER NOT NULL, 
	email VARCHAR(320) NOT NULL, 
	address_hash VARCHAR(64) NOT NULL, 
	language VARCHAR(12) NOT NULL, 
	time_zone VARCHAR(64) NOT NULL, 
	created_at DATETIME NOT NULL, soft_bounces INTEGER DEFAULT '0' NOT NULL, bounced_at DATETIME, held_until DATETIME, moved_at DATETIME, 
	CONSTRAINT pk_subscriber PRIMARY KEY (id), 
	CONSTRAINT uq_subscriber_address_hash UNIQUE (address_hash)
);
INSERT INTO "subscriber" VALUES(1,'anna@example.org','bd5400ada1f6324e1c00366cec7f9e939bea9aabc3383414080a9928a267a3f6','en','UTC','2026-03-02 09:00:00.000000',0,NULL,NULL,NULL);
INSERT INTO "subscriber" VALUES(2,'ben@example.org','e5ff4984930acdb137f8747bf2e70ea2ac092ab082f5eb3c1b230343fa61d330','de','Europe/Berlin','2026-03-02 09:00:00.000000',0,NULL,NULL,NULL);
INSERT INTO "subscriber" VALUES(3,'cleo@example.org','042221a232569911114a974520131ccec759a626d1be34fd3873e39a87b53eb6','en','UTC','2026-03-02 09:00:00.000000',0,NULL,NULL,NULL);
INSERT INTO "subscriber" VALUES(4,'emil@example.org','9102bc93f00b908c59860221ec19759908a883b88202b70024e38228931422fc','en','UTC','2026-03-02 09:00:00.000000',0,NULL,NULL,NULL);
INSERT INTO "subscriber" VALUES(5,'fritz@example.org','084234e7c92915c3b0095e3049338f2a5e5c4a5700c77f1f57ce6ef201fea68e','en','UTC','2026-03-02 09:00:00.000000',0,NULL,NULL,NULL);
INSERT INTO "subscriber" VALUES(6,'gerda@example.org','08ff924b0a07a5d31598a3c43e0e53a4b721e915aba61d0ae787cd5a29880177','en','UTC','2026-03-02 09:00:00.000000',0,NULL,NULL,NULL);
INSERT INTO "subscriber" VALUES(7,'dora@example.org','7b55efdc91205c4831eacf57f9d44c0f4221d1cf06c514b56a4f4343742990c6','en','Europe/Berlin','2026-03-03 09:00:00.000000',0,NULL,NULL,NULL);
INSERT INTO "subscriber" VALUES(8,'heidi@example.org','7029f870d337b00b3a130cd8dc26210b6663fdc7a254779811d3e4b8ed77027c','en','Europe/Berlin','2026-03-04 09:00:00.000000',0,NULL,NULL,NULL);
CREATE TABLE subscription (
	id INTEGER NOT NULL, 
	subscriber_id INTEGER NOT NULL, 
	profile_id INTEGER NOT NULL, 
	cadence VARCHAR(20) NOT NULL, 
	at VARCHAR(5) NOT NULL, 
	"on" INTEGER, 
	edition VARCHAR(20) NOT NULL, 
	status VARCHAR(20) NOT NULL, 
	link_id VARCHAR(32) NOT NULL, 
	position INTEGER NOT NULL, 
	next_due_at DATETIME, 
	created_at DATETIME NOT NULL, 
	confirmed_at DATETIME, 
	ended_at DATETIME, introduced VARCHAR(16) DEFAULT '' NOT NULL, heard_at DATETIME, paused_until DATETIME, renewed_at DATETIME, renewal_asked_at DATETIME, renewal_reminded_at DATETIME, asked_at DATETIME, hidden JSON DEFAULT '[]' NOT NULL, urgent BOOLEAN DEFAULT 0 NOT NULL, wish JSON, trouble TEXT, 
	CONSTRAINT pk_subscription PRIMARY KEY (id), 
	CONSTRAINT fk_subscription_profile_id_profile FOREIGN KEY(profile_id) REFERENCES profile (id) ON DELETE CASCADE, 
	CONSTRAINT fk_subscription_subscriber_id_subscriber FOREIGN KEY(subscriber_id) REFERENCES subscriber (id) ON DELETE CASCADE, 
	CONSTRAINT uq_subscription_link_id UNIQUE (link_id), 
	CONSTRAINT uq_subscription_subscriber_id UNIQUE (subscriber_id, profile_id)
);
INSERT INTO "subscription" VALUES(1,1,1,'daily','08:00',NULL,'patient','confirmed','kmKsWS_HkPa5pPPfqskeOA',7,'2026-03-05 08:00:00.000000','2026-03-02 09:00:00.000000','2026-03-02 09:00:00.000000',NULL,'87f0af7a982b7dbf','2026-03-04 09:00:00.000000',NULL,NULL,NULL,NULL,'2026-03-02 09:00:00.000000','[]',0,NULL,NULL);
INSERT INTO "subscription" VALUES(2,2,1,'weekly','08:00',3,'clinician','confirmed','5HyYvZ2o7WeW2cnBL17PIQ',0,'2026-03-05 07:00:00.000000','2026-03-02 09:00:00.000000','2026-03-02 09:00:00.000000',NULL,'','2026-03-02 09:00:00.000000',NULL,NULL,NULL,NULL,'2026-03-02 09:00:00.000000','[]',0,NULL,NULL);
INSERT INTO "subscription" VALUES(3,3,1,'immediate','08:00',NULL,'patient','confirmed','pqY0QhSSh89fZ4_ZFMF0_A',7,NULL,'2026-03-02 09:00:00.000000','2026-03-02 09:00:00.000000',NULL,'87f0af7a982b7dbf','2026-03-04 09:00:00.000000',NULL,NULL,NULL,NULL,'2026-03-02 09:00:00.000000','[]',0,NULL,NULL);
INSERT INTO "subscription" VALUES(4,4,1,'daily','08:00',NULL,'patient','paused','VYLbaUP8C4a44j0whcgdYQ',0,NULL,'2026-03-02 09:00:00.000000','2026-03-02 09:00:00.000000',NULL,'','2026-03-02 09:00:00.000000','2026-03-22 09:00:00.000000',NULL,NULL,NULL,'2026-03-02 09:00:00.000000','[]',0,NULL,NULL);
INSERT INTO "subscription" VALUES(5,5,1,'daily','08:00',NULL,'patient','ended','uiHkEBqv_0U6MVqWZH4sNw',0,NULL,'2026-03-02 09:00:00.000000','2026-03-02 09:00:00.000000','2026-03-02 09:00:00.000000','','2026-03-02 09:00:00.000000',NULL,NULL,NULL,NULL,'2026-03-02 09:00:00.000000','[]',0,NULL,NULL);
INSERT INTO "subscription" VALUES(6,6,1,'daily','08:00',NULL,'patient','confirmed','g7xYtjCGt9BFhqtlrYkcYA',7,'2026-03-05 08:00:00.000000','2026-03-02 09:00:00.000000','2026-03-02 09:00:00.000000',NULL,'87f0af7a982b7dbf','2026-03-04 09:00:00.000000',NULL,NULL,NULL,NULL,'2026-03-02 09:00:00.000000','[]',0,NULL,NULL);
INSERT INTO "subscription" VALUES(7,7,1,'weekly','08:00',0,'patient','pending','YNTkBfazJ2RWDHEOGghMwA',0,NULL,'2026-03-03 09:00:00.000000',NULL,NULL,'',NULL,NULL,NULL,NULL,NULL,'2026-03-03 09:00:00.000000','[]',0,NULL,NULL);
INSERT INTO "subscription" VALUES(8,8,1,'weekly','08:00',0,'patient','pending','BJfUrSdyYum8lddC3GHsyA',0,NULL,'2026-03-04 09:00:00.000000',NULL,NULL,'',NULL,NULL,NULL,NULL,NULL,'2026-03-04 09:00:00.000000','[]',0,NULL,NULL);
CREATE TABLE suppression (
	address_hash VARCHAR(64) NOT NULL, 
	reason TEXT NOT NULL, 
	at DATETIME NOT NULL, cause VARCHAR(20) DEFAULT 'asked' NOT NULL, asked_at DATETIME, 
	CONSTRAINT pk_suppression PRIMARY KEY (address_hash)
);
INSERT INTO "suppression" VALUES('08ff924b0a07a5d31598a3c43e0e53a4b721e915aba61d0ae787cd5a29880177','5.1.1','2026-03-03 09:00:00.000000','bounced',NULL);
CREATE TABLE term (
	id INTEGER NOT NULL, 
	profile_id INTEGER NOT NULL, 
	kind VARCHAR(20) NOT NULL, 
	text TEXT NOT NULL, 
	also JSON NOT NULL, 
	CONSTRAINT pk_term PRIMARY KEY (id), 
	CONSTRAINT fk_term_profile_id_profile FOREIGN KEY(profile_id) REFERENCES profile (id) ON DELETE CASCADE, 
	CONSTRAINT uq_term_profile_id UNIQUE (profile_id, kind, text)
);
INSERT INTO "term" VALUES(1,1,'name','frexalimab','["\u30d5\u30ec\u30ad\u30b5\u30ea\u30de\u30d6", "\u0444\u0440\u0435\u043a\u0441\u0430\u043b\u0438\u043c\u0430\u0431"]');
INSERT INTO "term" VALUES(2,1,'code','SAR441344','[]');
INSERT INTO "term" VALUES(3,1,'code','INX-021','["INX021"]');
INSERT INTO "term" VALUES(4,1,'target','CD40L','["CD40-L", "CD40 L", "CD40 ligand", "CD40 ligands", "CD154", "gp39"]');
INSERT INTO "term" VALUES(5,1,'class','anti-CD40L','["anti-CD40 ligand", "anti-CD154"]');
INSERT INTO "term" VALUES(6,1,'class','dapirolizumab pegol','["dapirolizumab"]');
INSERT INTO "term" VALUES(7,1,'class','tegoprubart','[]');
INSERT INTO "term" VALUES(8,1,'class','dazodalibep','[]');
INSERT INTO "term" VALUES(9,1,'class','letolizumab','[]');
INSERT INTO "term" VALUES(10,1,'class','toralizumab','["IDEC-131"]');
INSERT INTO "term" VALUES(11,1,'class','ruplizumab','[]');
INSERT INTO "term" VALUES(12,1,'sponsor','Sanofi','[]');
INSERT INTO "term" VALUES(13,1,'indication','multiple sclerosis','["MS", "RRMS", "SPMS", "relapsing MS", "secondary progressive MS"]');
INSERT INTO "term" VALUES(14,1,'comparator','teriflunomide','["Aubagio"]');
INSERT INTO "term" VALUES(15,1,'trial','NCT04879628','[]');
INSERT INTO "term" VALUES(16,1,'trial','NCT06141473','["FREXALT"]');
INSERT INTO "term" VALUES(17,1,'trial','NCT06141486','["FREVIVA"]');
INSERT INTO "term" VALUES(18,1,'trial','NCT06111586','["FABULINUS"]');
INSERT INTO "term" VALUES(19,1,'trial','NCT07325292','[]');
CREATE TABLE wording (
	hash VARCHAR(64) NOT NULL, 
	version VARCHAR(20) NOT NULL, 
	language VARCHAR(12) NOT NULL, 
	text TEXT NOT NULL, 
	CONSTRAINT pk_wording PRIMARY KEY (hash)
);
INSERT INTO "wording" VALUES('adc70cd2597e0873d504693cd1fb71d77adb4a16f62244943f8e88bec4c0f9e7','1','en','I want to receive a digest of news about this therapy by e-mail. I know that following a therapy says something about health, and I agree that my address and this choice are stored and used for this purpose only. I can leave at any time with the link in every mail.');
INSERT INTO "wording" VALUES('33604e5bec5fce8a0f6b5ea08d8c67caf5aedbdd53fa8ae141c979000b935eb4','1','de','Ich möchte Nachrichten zu dieser Therapie gesammelt per E-Mail erhalten. Mir ist bewusst, dass es etwas über die Gesundheit aussagt, wenn man eine Therapie verfolgt, und ich willige ein, dass meine Adresse und diese Wahl nur zu diesem Zweck gespeichert und benutzt werden. Ich kann mich jederzeit mit dem Link in jeder Mail abmelden.');
CREATE INDEX ix_source_next_poll_at ON source (next_poll_at);
CREATE INDEX ix_source_profile_profile_id ON source_profile (profile_id);
CREATE INDEX ix_subscription_due ON subscription (status, next_due_at);
CREATE INDEX ix_subscription_profile_id ON subscription (profile_id);
CREATE INDEX ix_consent_subscription_id ON consent (subscription_id);
CREATE INDEX ix_entry_alias_entry_id ON entry_alias (entry_id);
CREATE INDEX ix_match_entry_id ON "match" (entry_id);
CREATE INDEX ix_match_revision_id ON "match" (revision_id);
CREATE INDEX ix_digest_item_match_id ON digest_item (match_id);
CREATE INDEX ix_digest_item_revision_id ON digest_item (revision_id);
CREATE INDEX ix_near_miss_entry_id ON near_miss (entry_id);
CREATE INDEX ix_near_miss_revision_id ON near_miss (revision_id);
CREATE INDEX ix_match_story ON "match" (story);
CREATE INDEX ix_enquiry_network ON enquiry (network, at);
CREATE INDEX ix_enquiry_answered_at ON enquiry (answered_at);
CREATE INDEX ix_delivery_open ON delivery (status, next_attempt_at);
CREATE INDEX ix_delivery_subscription_id ON delivery (subscription_id);
CREATE INDEX ix_delivery_change_id ON delivery (change_id);
CREATE TRIGGER consent_is_append_only BEFORE UPDATE ON consent
BEGIN SELECT RAISE(ABORT, 'the consent ledger is append-only'); END;
CREATE INDEX ix_delivery_sent_at ON delivery (sent_at);
CREATE INDEX ix_enquiry_target ON enquiry (target, at);
CREATE INDEX ix_enquiry_asker ON enquiry (asker, at);
CREATE INDEX ix_retired_link_subscription_id ON retired_link (subscription_id);
COMMIT;
